// SPDX-License-Identifier: MIT
#include "trust/base64.h"

#include <cstdint>

#include "base/text.h"

namespace alloy::core {
namespace {

constexpr int kNoDigit = -1;

int DigitOf(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return kNoDigit;
}

std::string BadCharacter(std::string_view text, size_t at) {
  const char c = text[at];
  std::string what =
      "character " + std::to_string(at + 1) + " is " + Quoted(text.substr(at, 1));
  if (c == '-' || c == '_')
    return what + ", which only base64url has; use standard base64";
  if (c == '=') return what + ", padding before the end; give one certificate only";
  if (c == '\n' || c == '\r') return what + "; give one line without line breaks";
  return what + ", which is not a base64 character";
}

}  // namespace

std::string DecodeBase64(std::string_view text, std::vector<std::byte>* out) {
  out->clear();
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  const std::string_view digits = text.substr(0, text.size() - padding);
  uint32_t bits = 0;
  int count = 0;  // bits that do not fill a byte yet
  out->reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < digits.size(); ++i) {
    const int digit = DigitOf(digits[i]);
    if (digit == kNoDigit) return BadCharacter(text, i);
    bits = (bits << 6U) | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out->push_back(static_cast<std::byte>(bits >> static_cast<unsigned>(count)));
    bits &= (1U << static_cast<unsigned>(count)) - 1;
  }
  if (text.size() % 4 != 0) {
    return "its length, " + std::to_string(text.size()) + ", is not a multiple of 4";
  }
  if (bits != 0) return "its last character has extra bits that no encoder sets";
  return {};
}

}  // namespace alloy::core
