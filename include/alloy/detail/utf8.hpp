// SPDX-License-Identifier: MIT
//
// The characters of UTF-8 text: where it may be cut.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_UTF8_HPP_
#define ALLOY_DETAIL_UTF8_HPP_

#include <cstddef>
#include <string_view>

namespace alloy::detail {

// True for the second and later bytes of a character, which are 10xxxxxx.
constexpr bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The longest prefix of at most `limit` bytes that does not cut a character.
inline std::string_view CutText(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  // A character has at most three continuation bytes. If there are more, the text is not
  // UTF-8 and may be cut anywhere.
  size_t end = limit;
  for (int i = 0; i < 3 && end > 0 && IsContinuation(text[end]); ++i) --end;
  return text.substr(0, IsContinuation(text[end]) ? limit : end);
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_UTF8_HPP_
