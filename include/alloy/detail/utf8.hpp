// SPDX-License-Identifier: MIT
//
// The characters of UTF-8 text: how long they are, and where text may be cut.
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

// The length in bytes, 1 to 4, of the character at the start of `bytes`; 0 if these
// bytes are not UTF-8.
//
// Source: The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte Sequences".
constexpr size_t Utf8Length(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.empty()) return 0;
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(bytes[i])) return 0;
  }
  // Longer than the character needs, or a surrogate, or above U+10FFFF.
  if ((first == 0xE0 && at(1) < 0xA0) || (first == 0xED && at(1) > 0x9F)) return 0;
  if ((first == 0xF0 && at(1) < 0x90) || (first == 0xF4 && at(1) > 0x8F)) return 0;
  return length;
}

// The number of one whole character.
constexpr char32_t Utf8Character(std::string_view character) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return at(0);
  char32_t number = at(0) & (0x7FU >> character.size());
  for (size_t i = 1; i < character.size(); ++i) number = number << 6U | (at(i) & 0x3FU);
  return number;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_UTF8_HPP_
