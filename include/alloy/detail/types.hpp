// SPDX-License-Identifier: MIT
//
// The C++ types of values of columns, and the formats that they stand for.
#ifndef ALLOY_DETAIL_TYPES_HPP_
#define ALLOY_DETAIL_TYPES_HPP_

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace alloy {

// The unscaled value of a decimal of 128 bits: 1.23 of scale 2 is 123. Precision and
// scale are those of its column. An integer, so one adds, compares and casts it.
__extension__ using Decimal128 = __int128;

// A day, counted from 1970-01-01.
struct Date32 {
  int32_t days = 0;
  friend auto operator<=>(const Date32&, const Date32&) = default;
};

// What an output of strings is made as, where it is not utf8.
struct LargeText {};  // large utf8: any number of bytes
struct TextView {};   // utf8 views: short strings lie beside each other

// What the schema says of decimals: `precision` digits, `scale` of them behind the point.
struct DecimalType {
  int32_t precision = 0;
  int32_t scale = 0;

  // Of a format of decimals of 128 bits, `d:P,S` or `d:P,S,128`; nothing of any other.
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
  // The format of a column of such decimals, for a schema.
  std::string Format() const {
    return "d:" + std::to_string(precision) + "," + std::to_string(scale);
  }
};

namespace detail {

// The format string of a C++ type; empty for one that does not say its format alone, or
// is no value of a column.
template <typename T>
constexpr std::string_view FormatOf() {
  if constexpr (std::is_same_v<T, bool>) return "b";
  if constexpr (std::is_same_v<T, int8_t>) return "c";
  if constexpr (std::is_same_v<T, uint8_t>) return "C";
  if constexpr (std::is_same_v<T, int16_t>) return "s";
  if constexpr (std::is_same_v<T, uint16_t>) return "S";
  if constexpr (std::is_same_v<T, int32_t>) return "i";
  if constexpr (std::is_same_v<T, uint32_t>) return "I";
  if constexpr (std::is_same_v<T, int64_t>) return "l";
  if constexpr (std::is_same_v<T, uint64_t>) return "L";
  if constexpr (std::is_same_v<T, float>) return "f";
  if constexpr (std::is_same_v<T, double>) return "g";
  if constexpr (std::is_same_v<T, Date32>) return "tdD";
  if constexpr (std::is_same_v<T, std::string>) return "u";
  if constexpr (std::is_same_v<T, std::string_view>) return "u";
  if constexpr (std::is_same_v<T, LargeText>) return "U";
  if constexpr (std::is_same_v<T, TextView>) return "vu";
  return "";
}

template <typename T>
inline constexpr bool kIsText =
    std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view> ||
    std::is_same_v<T, LargeText> || std::is_same_v<T, TextView>;

// What lies in the values of a column, one beside the other (a bit each for bool).
template <typename T>
concept FixedWidth =
    std::is_same_v<T, Decimal128> || (!FormatOf<T>().empty() && !kIsText<T>);

}  // namespace detail
}  // namespace alloy

#endif  // ALLOY_DETAIL_TYPES_HPP_
