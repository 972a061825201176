// SPDX-License-Identifier: MIT
//
// Numbers in options.
#ifndef AGGREGATE_CPP_NUMBER_TEXT_H_
#define AGGREGATE_CPP_NUMBER_TEXT_H_

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "names.h"

namespace aggregate {

// The number that the text is, all of it; nothing when it is none of the type.
template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  text = Trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  T value{};
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace aggregate

#endif  // AGGREGATE_CPP_NUMBER_TEXT_H_
