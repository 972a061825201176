// SPDX-License-Identifier: MIT
//
// The summary of a batch: a row for each of its columns, with the type, the rows and the
// nulls, and of numbers the least, the greatest, the mean and the sum.
#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"

namespace {

struct Numbers {
  double min;
  double max;
  double mean;
  double sum;
};

template <typename T>
T AsItIs(T value) {
  return value;
}

// IEEE 754 binary16, which C++20 has no type for.
double FromHalf(uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int fraction = half & 1023;
  double value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? INFINITY : NAN;
  } else {
    value = exponent == 0 ? std::ldexp(fraction, -24)
                          : std::ldexp(fraction + 1024, exponent - 25);
  }
  return (half >> 15) != 0 ? -value : value;
}

// `Read` makes a number of what lies in memory. Nothing when there is no value. A NaN
// makes the sum and the mean NaN; the least and the greatest are those of the other
// values.
template <typename Stored, auto Read = AsItIs<Stored>>
std::optional<Numbers> Summarize(const alloy::Scope& scope, const ArrowArray& array) {
  using T = decltype(Read(Stored{}));
  constexpr int64_t kPollEvery = 1 << 16;
  // Integers add up without rounding: 2^64 values of 64 bits fit.
  __extension__ using Wide = __int128;
  using Sum = std::conditional_t<std::is_integral_v<T>, Wide, double>;
  const alloy::Column<Stored> column(array);
  std::optional<T> min;
  std::optional<T> max;
  Sum sum = 0;
  int64_t count = 0;
  for (int64_t row = 0; row < column.size(); ++row) {
    if (row % kPollEvery == 0) scope.ThrowIfCancelled();
    if (column.IsNull(row)) continue;
    const T value = Read(column[row]);
    if constexpr (std::is_floating_point_v<T>) {
      min = min ? std::fmin(*min, value) : value;
      max = max ? std::fmax(*max, value) : value;
    } else {
      min = min ? std::min(*min, value) : value;
      max = max ? std::max(*max, value) : value;
    }
    sum += static_cast<Sum>(value);
    ++count;
  }
  if (count == 0) return std::nullopt;
  const auto total = static_cast<double>(sum);
  return Numbers{static_cast<double>(*min), static_cast<double>(*max),
                 total / static_cast<double>(count), total};
}

std::optional<Numbers> Summarize(const alloy::Scope& scope, const ArrowSchema& schema,
                                 const ArrowArray& array) {
  const std::string_view format = schema.format;
  if (schema.dictionary != nullptr || format.size() != 1) return std::nullopt;
  switch (format[0]) {
    case 'c':
      return Summarize<int8_t>(scope, array);
    case 'C':
      return Summarize<uint8_t>(scope, array);
    case 's':
      return Summarize<int16_t>(scope, array);
    case 'S':
      return Summarize<uint16_t>(scope, array);
    case 'i':
      return Summarize<int32_t>(scope, array);
    case 'I':
      return Summarize<uint32_t>(scope, array);
    case 'l':
      return Summarize<int64_t>(scope, array);
    case 'L':
      return Summarize<uint64_t>(scope, array);
    case 'e':
      return Summarize<uint16_t, FromHalf>(scope, array);
    case 'f':
      return Summarize<float>(scope, array);
    case 'g':
      return Summarize<double>(scope, array);
    default:
      return std::nullopt;
  }
}

int64_t CountNulls(const ArrowSchema& schema, const ArrowArray& array) {
  const std::string_view format = schema.format;
  if (format == "n") return array.length;
  if (array.null_count >= 0) return array.null_count;
  if (format.starts_with("+u") || format == "+r" || array.buffers[0] == nullptr) return 0;
  int64_t nulls = 0;
  for (int64_t row = 0; row < array.length; ++row) {
    nulls += alloy::detail::GetBit(array.buffers[0], array.offset + row) ? 0 : 1;
  }
  return nulls;
}

// The text of an array begins with its type: Int32[1, 2], Timestamp(ms, UTC)[3 rows].
std::string TypeName(const alloy::Scope& scope, const ArrowSchema& schema,
                     const ArrowArray& array) {
  const std::string text = scope.Describe(schema, array);
  return text.substr(0, text.ends_with(" rows]") ? text.rfind('[') : text.find('['));
}

class Summary {
 public:
  Summary(alloy::Scope&, const alloy::Options&, std::span<const ArrowSchema> inputs)
      : schema_(alloy::Schema::Copy(inputs[0])) {}

  alloy::Schema OutputSchema() const {
    return alloy::Schema::Batch({{.name = "name", .format = "u", .nullable = false},
                                 {.name = "type", .format = "u", .nullable = false},
                                 {.name = "rows", .format = "l", .nullable = false},
                                 {.name = "nulls", .format = "l", .nullable = false},
                                 {.name = "min", .format = "g"},
                                 {.name = "max", .format = "g"},
                                 {.name = "mean", .format = "g"},
                                 {.name = "sum", .format = "g"}});
  }

  void Run(alloy::Scope& scope, std::span<ArrowArray> inputs, ArrowArray* output) const {
    const auto resize = scope.services().resize;
    alloy::Output<std::string> name(resize);
    alloy::Output<std::string> type(resize);
    alloy::Output<int64_t> rows(resize);
    alloy::Output<int64_t> nulls(resize);
    alloy::Output<double> min(resize);
    alloy::Output<double> max(resize);
    alloy::Output<double> mean(resize);
    alloy::Output<double> sum(resize);
    const ArrowArray& batch = inputs[0];
    for (int64_t i = 0; i < schema_->n_children; ++i) {
      const ArrowSchema& schema = *schema_->children[i];
      const ArrowArray& column = *batch.children[i];
      name.Append(schema.name);
      type.Append(TypeName(scope, schema, column));
      rows.Append(column.length);
      nulls.Append(CountNulls(schema, column));
      const auto numbers = Summarize(scope, schema, column);
      const auto put = [&numbers](alloy::Output<double>& to, double Numbers::* field) {
        numbers ? to.Append((*numbers).*field) : to.AppendNull();
      };
      put(min, &Numbers::min);
      put(max, &Numbers::max);
      put(mean, &Numbers::mean);
      put(sum, &Numbers::sum);
    }
    alloy::GiveBatch(output, std::move(name), std::move(type), std::move(rows),
                     std::move(nulls), std::move(min), std::move(max), std::move(mean),
                     std::move(sum));
  }

 private:
  alloy::Schema schema_;
};

}  // namespace

ALLOY_BACKEND("alloy.summary", "0.1.0",
              alloy::Raw<Summary>("summary")
                  .Summary("Type, rows, nulls and numbers of each column.")
                  .Flags(ALLOY_IDEMPOTENT))
