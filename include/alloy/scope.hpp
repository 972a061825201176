// SPDX-License-Identifier: MIT
//
// What a function of a backend sees of its caller: the scope of one entry, and its
// options.
//
// Threads  Scope: any thread, until the entry returns. Options: a value.
#ifndef ALLOY_SCOPE_HPP_
#define ALLOY_SCOPE_HPP_

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "alloy/backend.h"
#include "alloy/failure.hpp"

namespace alloy {

// One entry into a backend.
class Scope {
 public:
  explicit Scope(alloy_scope* scope) : scope_(scope) {}

  // Leave the function with an error that the caller sees.
  [[noreturn]] void Fail(std::string text) const { Fail(ALLOY_FAILED, std::move(text)); }
  [[noreturn]] void Fail(alloy_code code, std::string text) const {
    throw Failure(code, std::move(text));
  }

  // Whether the caller has cancelled, or the deadline has passed. It is cheap: ask in
  // every long loop.
  bool Cancelled() const { return services().cancelled(scope_) != 0; }
  // Leave the function if so.
  void ThrowIfCancelled() const {
    if (Cancelled()) Fail(ALLOY_CANCELLED, "cancelled");
  }
  // Report how far this call is, in any unit; total 0: unknown.
  void Progress(int64_t done, int64_t total) const {
    services().progress(scope_, done, total);
  }

  // Write a log line. Ask Logging before you format a costly one.
  void Log(int32_t level, std::string_view text) const {
    services().log(scope_, level, text.data(), static_cast<int64_t>(text.size()));
  }
  void Info(std::string_view text) const { Log(ALLOY_LOG_INFO, text); }
  bool Logging(int32_t level = ALLOY_LOG_INFO) const {
    return services().logging(scope_, level) != 0;
  }

  // The text of an array as every Alloy program prints it: Int32[1, 2, null].
  std::string Describe(const ArrowSchema& schema, const ArrowArray& array) const {
    std::string text(255, '\0');
    int64_t length = DescribeInto(schema, array, &text);
    if (length > static_cast<int64_t>(text.size())) {
      text.resize(static_cast<size_t>(length));
      length = DescribeInto(schema, array, &text);
    }
    if (length < 0) Fail(ALLOY_BAD_DATA, "an array that is malformed");
    text.resize(static_cast<size_t>(length));
    return text;
  }

  const alloy_services& services() const { return *scope_->services; }
  alloy_scope* get() const { return scope_; }

 private:
  int64_t DescribeInto(const ArrowSchema& schema, const ArrowArray& array,
                       std::string* text) const {
    // A std::string has room for the NUL after size() bytes.
    return services().describe(&schema, &array, text->data(),
                               static_cast<int64_t>(text->size()) + 1);
  }

  alloy_scope* scope_;
};

// An option that a function declares.
struct Option {
  std::string name;
  std::string summary;
  std::string fallback;
  bool required = false;  // the caller must give it
};

// The values of a function's options.
class Options {
 public:
  Options() = default;
  Options(std::span<const Option> options, const char* const* values) {
    values_.reserve(options.size());
    for (size_t i = 0; i < options.size(); ++i) {
      values_.emplace_back(options[i].name, values[i] == nullptr ? "" : values[i]);
    }
  }

  const std::string& operator[](std::string_view name) const {
    for (const auto& [key, value] : values_) {
      if (key == name) return value;
    }
    throw Failure(ALLOY_INTERNAL,
                  "the function declares no option '" + std::string(name) + "'");
  }
  // The value as a number or a boolean (true, false).
  template <typename T>
  T Get(std::string_view name) const {
    const std::string& text = (*this)[name];
    if constexpr (std::is_same_v<T, bool>) {
      if (text == "true") return true;
      if (text == "false") return false;
    } else {
      T value{};
      const char* end = text.data() + text.size();
      const auto [stop, error] = std::from_chars(text.data(), end, value);
      if (error == std::errc() && stop == end) return value;
    }
    throw Failure(ALLOY_INVALID,
                  "option '" + std::string(name) + "' cannot be '" + text + "'");
  }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace alloy

#endif  // ALLOY_SCOPE_HPP_
