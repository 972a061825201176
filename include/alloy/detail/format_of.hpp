// SPDX-License-Identifier: MIT
//
// The format strings of the C++ types of values.
#ifndef ALLOY_DETAIL_FORMAT_OF_HPP_
#define ALLOY_DETAIL_FORMAT_OF_HPP_

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "alloy/types.hpp"

namespace alloy::detail {

// The format string of a C++ type. Empty for types whose format needs parameters, or that
// cannot be a column.
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

// Values of fixed width, one after another; one bit each for bool.
template <typename T>
concept FixedWidth =
    std::is_same_v<T, Decimal128> || (!FormatOf<T>().empty() && !kIsText<T>);

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_FORMAT_OF_HPP_
