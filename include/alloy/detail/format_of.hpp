// SPDX-License-Identifier: MIT
//
// The format strings of the C++ types of values.
#ifndef ALLOY_DETAIL_FORMAT_OF_HPP_
#define ALLOY_DETAIL_FORMAT_OF_HPP_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "alloy/types.hpp"

namespace alloy::detail {

// A format that the compiler puts together. It ends with a NUL.
struct FormatText {
  char text[160] = {};
  size_t size = 0;

  constexpr FormatText Add(std::string_view more) const {
    FormatText longer = *this;
    for (const char c : more) longer.text[longer.size++] = c;
    return longer;
  }
  constexpr FormatText Add(int64_t number) const {
    if (number < 0) return Add("-").Add(-number);
    const char digit = static_cast<char>('0' + number % 10);
    return (number > 9 ? Add(number / 10) : *this).Add(std::string_view(&digit, 1));
  }
  constexpr std::string_view view() const { return {text, size}; }
};

// The types whose format has parameters: kFormat, of a result; empty if only bind knows
// it. kAccepts, of a column that is read.
template <typename T>
struct Parametric {};

constexpr std::string_view LetterOf(Unit unit) {
  return std::string_view("smun").substr(static_cast<size_t>(unit), 1);
}

template <Unit unit>
struct Parametric<Time<unit>> {
  static constexpr FormatText kFormat = FormatText().Add("tt").Add(LetterOf(unit));
  static constexpr FormatText kAccepts = kFormat;
};
template <Unit unit>
struct Parametric<Duration<unit>> {
  static constexpr FormatText kFormat = FormatText().Add("tD").Add(LetterOf(unit));
  static constexpr FormatText kAccepts = kFormat;
};
template <Unit unit, Name zone>
struct Parametric<Timestamp<unit, zone>> {
  static constexpr FormatText kAccepts =
      FormatText().Add("ts").Add(LetterOf(unit)).Add(":").Add(zone.view());
  static constexpr FormatText kFormat = kAccepts;
};
template <Unit unit>
struct Parametric<Timestamp<unit>> {
  static constexpr FormatText kPlain =  // without a time zone
      FormatText().Add("ts").Add(LetterOf(unit)).Add(":");
  static constexpr FormatText kAccepts = kPlain.Add("*");
  static constexpr FormatText kFormat = {};
};
template <int32_t precision, int32_t scale>
struct Parametric<Decimal<precision, scale>> {
  static constexpr FormatText kFormat =
      FormatText().Add("d:").Add(precision).Add(",").Add(scale);
  static constexpr FormatText kAccepts = kFormat.Add(" ").Add(kFormat.view()).Add(",128");
};
template <>
struct Parametric<Decimal128> {
  static constexpr FormatText kFormat = {};
  static constexpr FormatText kAccepts = FormatText().Add("d:*");
};
template <size_t n>
struct Parametric<std::array<uint8_t, n>> {
  static_assert(n > 0, "C++ has no values of 0 bytes");
  static constexpr FormatText kFormat =
      FormatText().Add("w:").Add(static_cast<int64_t>(n));
  static constexpr FormatText kAccepts = kFormat;
};

template <typename T>
concept HasParameters = requires { Parametric<T>::kFormat; };

// The format string of a C++ type. Empty for types whose format only bind knows, that
// have children, or that cannot be a column.
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
  if constexpr (std::is_same_v<T, Date64>) return "tdm";
  if constexpr (std::is_same_v<T, std::string>) return "u";
  if constexpr (std::is_same_v<T, std::string_view>) return "u";
  if constexpr (std::is_same_v<T, const char*>) return "u";
  if constexpr (std::is_same_v<T, LargeText>) return "U";
  if constexpr (std::is_same_v<T, TextView>) return "vu";
  if constexpr (HasParameters<T>) return Parametric<T>::kFormat.view();
  return "";
}

template <typename T>
inline constexpr bool kIsText =
    std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view> ||
    std::is_same_v<T, const char*> || std::is_same_v<T, LargeText> ||
    std::is_same_v<T, TextView>;

// Values of fixed width, one after another; one bit each for bool.
template <typename T>
concept FixedWidth = HasParameters<T> || (!FormatOf<T>().empty() && !kIsText<T>);

// What a view of a type accepts, in the form of alloy_column.accepts.
template <FixedWidth T>
constexpr std::string_view AcceptsOf() {
  if constexpr (HasParameters<T>) return Parametric<T>::kAccepts.view();
  return FormatOf<T>();
}

// Whether a format is one of those, which blanks separate; one with `*` is a prefix.
constexpr bool AcceptsFormat(std::string_view accepts, std::string_view format) {
  while (true) {
    const size_t end = accepts.find(' ');
    const std::string_view pattern = accepts.substr(0, end);
    if (pattern.ends_with('*') ? format.starts_with(pattern.substr(0, pattern.size() - 1))
                               : format == pattern) {
      return true;
    }
    if (end == std::string_view::npos) return false;
    accepts.remove_prefix(end + 1);
  }
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_FORMAT_OF_HPP_
