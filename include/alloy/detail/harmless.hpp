// SPDX-License-Identifier: MIT
//
// Makes text from elsewhere harmless: what a file, a certificate or a backend chose to
// contain can neither control a terminal nor look like a line of a log. The engine uses
// it for every error text and log line, the command line for everything that it prints.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_HARMLESS_HPP_
#define ALLOY_DETAIL_HARMLESS_HPP_

#include <cstddef>
#include <string>
#include <string_view>

#include "alloy/detail/utf8.hpp"

namespace alloy::detail {

// True for characters that are obeyed instead of shown: control characters (C0, DEL, C1),
// separators of lines and paragraphs, and the format characters that reverse or hide
// text. The joiners U+200C and U+200D are not: scripts and emoji are written with them,
// and they only change the shapes of their neighbours.
//
// Source: the Unicode Character Database, general categories Cc, Cf, Zl and Zp.
constexpr bool IsHarmful(char32_t c) {
  if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return true;
  if (c < 0x2000) return c == 0xAD || c == 0x61C || c == 0x180E;
  if (c < 0x2070) {
    return c == 0x200B || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
           c >= 0x2060;
  }
  if (c < 0x10000) return c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB);
  return (c >= 0x13430 && c <= 0x1343F) || (c >= 0x1BCA0 && c <= 0x1BCA3) ||
         (c >= 0x1D173 && c <= 0x1D17A) || (c >= 0xE0000 && c <= 0xE0FFF);
}

// Append the character at the start of `text`, escaped when it is harmful or not UTF-8,
// and return its length in bytes. Line ends and tabs become \n, \r and \t; other bytes
// become \xNN. `text` is not empty.
inline size_t AppendHarmlessCharacter(std::string_view text, std::string* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  const size_t length = Utf8Length(text);
  const std::string_view character = text.substr(0, length == 0 ? 1 : length);
  if (length != 0 && !IsHarmful(Utf8Character(character))) {
    out->append(character);
  } else if (character == "\n") {
    out->append("\\n");
  } else if (character == "\r") {
    out->append("\\r");
  } else if (character == "\t") {
    out->append("\\t");
  } else {
    for (const char byte : character) {
      const auto value = static_cast<unsigned char>(byte);
      out->append({'\\', 'x', kDigits[value >> 4U], kDigits[value & 15U]});
    }
  }
  return character.size();
}

inline constexpr size_t kMostHarmless = size_t{16} << 10U;

// `text` as one line of UTF-8 without harmful characters, cut with `…` after `limit`
// bytes. Text that is harmless already stays the same.
inline std::string Harmless(std::string_view text, size_t limit = kMostHarmless) {
  std::string out;
  const std::string_view kept = CutText(text, limit);
  out.reserve(kept.size());
  for (size_t at = 0; at < kept.size();) {
    at += AppendHarmlessCharacter(kept.substr(at), &out);
  }
  if (kept.size() < text.size()) out += "…";
  return out;
}

// The same for text that may have several lines: every line after the first begins with
// two blanks, so that none looks like a line of its own. Line feeds at the end are left
// out.
inline std::string HarmlessLines(std::string_view text, size_t limit = kMostHarmless) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  std::string out;
  const std::string_view kept = CutText(text, limit);
  out.reserve(kept.size());
  for (size_t at = 0; at < kept.size();) {
    const std::string_view rest = kept.substr(at);
    if (rest.starts_with('\n') || rest.starts_with("\r\n")) {
      at += rest[0] == '\n' ? 1 : 2;
      out += kept.substr(at).starts_with("  ") ? "\n" : "\n  ";
    } else {
      at += AppendHarmlessCharacter(rest, &out);
    }
  }
  if (kept.size() < text.size()) out += "…";
  return out;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_HARMLESS_HPP_
