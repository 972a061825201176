// SPDX-License-Identifier: MIT
//
// UTF-8: where one may cut a text.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_UTF8_HPP_
#define ALLOY_DETAIL_UTF8_HPP_

#include <cstddef>
#include <string_view>

namespace alloy::detail {

// Whether a byte is inside a character, and not its first byte.
inline bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The longest beginning of `text` that has at most `limit` bytes and ends between two
// characters.
inline std::string_view CutUtf8(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && IsContinuation(text[limit])) --limit;
  return text.substr(0, limit);
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_UTF8_HPP_
