// SPDX-License-Identifier: MIT
#include "base/text.h"

#include "base/utf8.h"

namespace alloy::core {
namespace {

constexpr size_t kLongestQuoted = 64;

void AppendHex(unsigned char byte, std::string* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  *out += "\\x";
  *out += kDigits[byte >> 4];
  *out += kDigits[byte & 15];
}

// True for characters that a terminal obeys instead of showing: control characters (those
// from U+0080 to U+009F too), separators of lines and paragraphs, and marks that reverse
// the direction of text. The last could make a refused name look like a good one.
bool IsControl(std::string_view character) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return at(0) < 0x20 || at(0) == 0x7F;
  if (character.size() == 2) return at(0) == 0xC2 && at(1) < 0xA0;
  if (character.size() != 3 || at(0) != 0xE2) return false;
  if (at(1) == 0x80) {  // U+200E, U+200F, and U+2028 to U+202E
    return at(2) == 0x8E || at(2) == 0x8F || (at(2) >= 0xA8 && at(2) <= 0xAE);
  }
  return at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9;  // U+2066 to U+2069
}

}  // namespace

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
