// SPDX-License-Identifier: MIT
//
// C++ types for the values of columns that have no C++ type of their own.
//
// Threads  values.
#ifndef ALLOY_TYPES_HPP_
#define ALLOY_TYPES_HPP_

#include <array>
#include <charconv>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

namespace alloy {

// The unscaled value of a decimal of 128 bits: 1.23 with scale 2 is 123. Its column has
// the precision and the scale. It is an integer: add, compare and cast it.
__extension__ using Decimal128 = __int128;

// A day, counted from 1970-01-01.
struct Date32 {
  int32_t days = 0;
  friend auto operator<=>(const Date32&, const Date32&) = default;
};

// A day, as milliseconds since 1970-01-01.
struct Date64 {
  int64_t milliseconds = 0;
  friend auto operator<=>(const Date64&, const Date64&) = default;
};

enum class Unit { kSecond, kMillisecond, kMicrosecond, kNanosecond };

// A time of day in a unit.
template <Unit unit>
struct Time {
  using Count = std::conditional_t<unit == Unit::kSecond || unit == Unit::kMillisecond,
                                   int32_t, int64_t>;
  Count count = 0;
  friend auto operator<=>(const Time&, const Time&) = default;
};

// A length of time in a unit.
template <Unit unit>
struct Duration {
  int64_t count = 0;
  friend auto operator<=>(const Duration&, const Duration&) = default;
};

// A text as a template argument: Timestamp<Unit::kSecond, "UTC">.
struct Name {
  template <size_t n>
  consteval Name(const char (&name)[n]) {  // NOLINT: a literal converts implicitly
    static_assert(n <= sizeof(text), "a name has at most 63 bytes");
    for (size_t i = 0; i < n; ++i) text[i] = name[i];
  }
  constexpr std::string_view view() const { return text; }
  friend bool operator==(const Name&, const Name&) = default;
  char text[64] = {};
};

// A moment, counted in a unit from 1970-01-01 00:00:00; with a time zone, of UTC.
// Without `zone` it is of any zone or none: a result then has the zone of the first input
// of the same unit, or none without such an input. "": without a zone.
template <Unit unit, Name zone = "*">
struct Timestamp {
  int64_t count = 0;
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

// A decimal of 128 bits whose precision and scale are known. A plain Decimal128 is of any:
// a result then has those of the first input that is a decimal.
template <int32_t precision, int32_t scale>
struct Decimal {
  static_assert(1 <= precision && precision <= 38, "a precision is from 1 to 38");
  Decimal128 value = 0;
  friend auto operator<=>(const Decimal&, const Decimal&) = default;
};

// A fixed-size binary.
template <size_t n>
using FixedBytes = std::array<uint8_t, n>;

// A field of a Struct or a column of Outputs: Member<"x", double>.
template <Name name, typename T>
struct Member {
  static constexpr Name kName = name;
  using Type = T;
};

// A row of a column of structs. A field without a value is null. A field that is a list is
// a std::vector.
template <typename... Members>
struct Struct {
  static_assert(sizeof...(Members) > 0);
  std::tuple<std::optional<typename Members::Type>...> values;

  Struct() = default;
  Struct(std::optional<typename Members::Type>... fields)  // NOLINT: {x, y} is a Struct
      : values(std::move(fields)...) {}
};

// A row of a column with a dictionary: the column stores each different value once, and
// an Index for each row. T is std::string or a type of one width.
template <typename T, typename Index = int32_t>
struct Dictionary {
  T value{};
};

// For Output<T>: the other layouts of strings. Output<std::string> makes utf8.
struct LargeText {};  // large utf8: any number of bytes
struct TextView {};   // utf8 views: short strings are stored in the views

// The type of a column of decimals: `precision` digits, `scale` of them after the point.
struct DecimalType {
  int32_t precision = 0;
  int32_t scale = 0;

  // Parse `d:P,S` or `d:P,S,128`; std::nullopt for any other format.
  static std::optional<DecimalType> Parse(std::string_view format) {
    DecimalType type;
    if (!format.starts_with("d:")) return std::nullopt;
    const char* end = format.data() + format.size();
    const auto precision = std::from_chars(format.data() + 2, end, type.precision);
    if (precision.ec != std::errc() || precision.ptr == end || *precision.ptr != ',') {
      return std::nullopt;
    }
    const auto scale = std::from_chars(precision.ptr + 1, end, type.scale);
    if (scale.ec != std::errc()) return std::nullopt;
    const std::string_view bits(scale.ptr, static_cast<size_t>(end - scale.ptr));
    if (!bits.empty() && bits != ",128") return std::nullopt;
    return type;
  }
  // The format string, for a schema.
  std::string Format() const {
    return "d:" + std::to_string(precision) + "," + std::to_string(scale);
  }
};

}  // namespace alloy

#endif  // ALLOY_TYPES_HPP_
