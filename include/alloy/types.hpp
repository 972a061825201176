// SPDX-License-Identifier: MIT
//
// C++ types for the values of columns that have no C++ type of their own.
//
// Threads  values.
#ifndef ALLOY_TYPES_HPP_
#define ALLOY_TYPES_HPP_

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace alloy {

// The unscaled value of a decimal of 128 bits: 1.23 with scale 2 is 123. Its column has
// the precision and the scale. It is an integer: add, compare and cast it.
__extension__ using Decimal128 = __int128;

// A day, counted from 1970-01-01.
struct Date32 {
  int32_t days = 0;
  friend auto operator<=>(const Date32&, const Date32&) = default;
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
