// SPDX-License-Identifier: MIT
#include "base/json.h"

namespace alloy::core {
namespace {

// The length of the UTF-8 character at the front, by Unicode's table of well-formed
// sequences (3-7); 0: none is there.
size_t CharacterAt(std::string_view text) {
  const auto at = [&](size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return at(i) >= low && at(i) <= high;
  };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80, high = lead == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80, high = lead == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

void JsonWriter::Separate() {
  if (!first_) text_ += ',';
  first_ = false;
}

void JsonWriter::Open(char bracket) {
  Separate();
  text_ += bracket;
  first_ = true;
}

void JsonWriter::Close(char bracket) {
  text_ += bracket;
  first_ = false;
}

void JsonWriter::Value(std::string_view text) {
  Separate();
  text_ += text;
}

void JsonWriter::Key(std::string_view key) {
  String(key);
  text_ += ':';
  first_ = true;  // its value has no comma before it
}

void JsonWriter::String(std::string_view text) {
  Separate();
  text_ += '"';
  Append(text);
  text_ += '"';
}

void JsonWriter::Append(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  while (!text.empty()) {
    const size_t length = CharacterAt(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      text_ += "\\ufffd";
    } else if (byte == '"' || byte == '\\') {
      text_ += {'\\', text[0]};
    } else if (byte < 0x20 || byte == 0x7f) {
      text_ += {'\\', 'u', '0', '0', kDigits[byte >> 4U], kDigits[byte & 15U]};
    } else {
      text_ += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

}  // namespace alloy::core
