// SPDX-License-Identifier: MIT
#include "base/text.h"

#include "base/status.h"

namespace alloy::core {
namespace {

constexpr size_t kLongestQuoted = 64;

void AppendHex(unsigned char byte, std::string* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  *out += "\\x";
  *out += kDigits[byte >> 4];
  *out += kDigits[byte & 15];
}

// U+0080 to U+009F are control characters as well.
bool IsControl(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return character.size() == 2 && first == 0xC2 &&
         static_cast<unsigned char>(character[1]) < 0xA0;
}

}  // namespace

size_t Utf8Length(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.empty()) return 0;
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  // Too long for what they say, surrogates, beyond U+10FFFF.
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

void AppendEscaped(std::string_view bytes, char quote, std::string* out) {
  while (!bytes.empty()) {
    const size_t length = Utf8Length(bytes);
    const std::string_view character = bytes.substr(0, length == 0 ? 1 : length);
    bytes.remove_prefix(character.size());
    const char c = character[0];
    if (length == 0) {
      AppendHex(static_cast<unsigned char>(c), out);
    } else if (c == '\n') {
      *out += "\\n";
    } else if (c == '\t') {
      *out += "\\t";
    } else if (c == '\r') {
      *out += "\\r";
    } else if (c == '\\' || (c == quote && quote != '\0')) {
      *out += '\\';
      *out += c;
    } else if (IsControl(character)) {
      for (const char byte : character) AppendHex(static_cast<unsigned char>(byte), out);
    } else {
      *out += character;
    }
  }
}

std::string Quoted(std::string_view bytes) {
  const std::string_view shown = CutText(bytes, kLongestQuoted);
  std::string text = "\"";
  AppendEscaped(shown, '"', &text);
  if (shown.size() < bytes.size()) text += "…";
  text += '"';
  return text;
}

void AppendPathPart(std::string_view name, int64_t ordinal, std::string* path) {
  if (!path->empty()) *path += '.';
  if (ordinal < 0) {
    *path += "dictionary";
  } else if (name.empty()) {
    *path += '#' + std::to_string(ordinal);
  } else {
    AppendEscaped(CutText(name, kLongestQuoted), '\0', path);
    if (name.size() > kLongestQuoted) *path += "…";
  }
}

}  // namespace alloy::core
