// SPDX-License-Identifier: MIT
#include "base/utf8.h"

#include <cstring>

namespace alloy::core {

// Source: The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte Sequences".
size_t Utf8Length(std::string_view bytes) {
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

std::string AsUtf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    clean.append(length == 0 ? std::string_view("?") : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

size_t CopyText(std::string_view text, char* out, size_t capacity) {
  const std::string_view cut = CutText(text, capacity - 1);
  std::memcpy(out, cut.data(), cut.size());
  out[cut.size()] = '\0';
  return cut.size();
}

}  // namespace alloy::core
