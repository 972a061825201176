// SPDX-License-Identifier: MIT
#include "base/text.h"

#include "base/utf8.h"

namespace alloy::core {
namespace {

constexpr size_t kLongestQuoted = 64;

}  // namespace

void AppendEscaped(std::string_view bytes, char quote, std::string* out) {
  while (!bytes.empty()) {
    const char c = bytes[0];
    if (c == '\\' || (c == quote && quote != '\0')) {
      *out += '\\';
      *out += c;
      bytes.remove_prefix(1);
    } else {
      bytes.remove_prefix(alloy::detail::AppendHarmlessCharacter(bytes, out));
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
