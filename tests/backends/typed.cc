// SPDX-License-Identifier: MIT
//
// Every way in which backend.hpp makes a function of a C++ callable.
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alloy/backend.hpp"

namespace {

using alloy::AnyColumn;
using alloy::Column;
using alloy::Options;
using alloy::Output;
using alloy::Scope;
using alloy::Strings;

template <typename T>
T Twice(T value) {
  return static_cast<T>(value + value);
}

template <typename T>
alloy::Function TwiceOf(const std::string& name) {
  return alloy::Rows(name, {"x"}, &Twice<T>);
}

bool Not(bool value) noexcept { return !value; }

// Several outputs, options and the scope, in any order among the parameters.
void Split(const Column<double>& x, Output<double>& whole, const Options& options,
           Output<double>& part, Scope& scope, Output<std::string>& text) {
  const auto scale = options.Get<double>("scale");
  int64_t row = 0;
  for (const std::optional<double> value : x) {
    scope.Progress(++row, x.size());
    if (!value) {
      whole.AppendNull();
      part.Append(std::nullopt);
      text.AppendNull();
      continue;
    }
    double integral = 0;
    part.Append(std::modf(*value * scale, &integral));
    whole.Append(integral);
    text.Append(options["prefix"] + std::to_string(static_cast<int64_t>(integral)));
  }
}

// In place, as for a loop that the compiler vectorises.
void Halve(Column<int32_t> x, Output<int32_t>& half) {
  int64_t row = 0;
  for (int32_t& value : half.Extend(x.size())) value = x[row++] / 2;
}

void DifferentLengths(Output<int64_t>& one, Output<int64_t>& two) {
  one.Append(1);
  two.Append(1);
  two.Append(2);
}

}  // namespace

ALLOY_BACKEND(
    "test.typed", "1.0.0", TwiceOf<int8_t>("twice"), TwiceOf<uint8_t>("twice"),
    TwiceOf<int16_t>("twice"), TwiceOf<uint16_t>("twice"), TwiceOf<int32_t>("twice"),
    TwiceOf<uint32_t>("twice"), TwiceOf<int64_t>("twice"), TwiceOf<uint64_t>("twice"),
    TwiceOf<float>("twice"), TwiceOf<double>("twice"), alloy::Rows("twice", {"x"}, &Not),
    alloy::Rows("twice", {"x"},
                [](std::string_view text) { return std::string(text).append(text); }),
    alloy::Rows("length", {"text"},
                [](std::optional<std::string_view> text) -> int64_t {
                  return text ? static_cast<int64_t>(text->size()) : -1;
                }),
    alloy::Rows("odd", {"x"},
                [](int64_t x) {
                  return x % 2 != 0 ? std::optional<int64_t>(x) : std::nullopt;
                }),
    alloy::Rows("join", {"a", "b"},
                [](std::string_view a, std::optional<int64_t> b) {
                  return std::string(a) + (b ? std::to_string(*b) : "?");
                }),
    alloy::Function("split", {"x"}, {"whole", "part", "text"}, &Split)
        .Option("scale", "1", "what x is multiplied with")
        .Option("prefix", "")
        .Summary("The two parts of a number, and a text."),
    alloy::Function("halve", {"x"}, {"half"}, &Halve),
    alloy::Function("describe", {"x"}, {"text"},
                    [](Scope& scope, AnyColumn x, Output<std::string>& text) {
                      text.Append(scope.Describe(x.schema, x.array));
                      scope.Log(ALLOY_LOG_WARN, "described");
                    }),
    alloy::Function("needs", {}, {"value"},
                    [](const Options& options, Output<std::string>& value) {
                      value.Append(options["must"]);
                    })
        .RequiredOption("must"),
    alloy::Function("different_lengths", {}, {"one", "two"}, &DifferentLengths))
