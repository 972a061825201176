// SPDX-License-Identifier: MIT
#include "admit/json.h"

#include "base/utf8.h"

namespace alloy::core {
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
    const size_t length = Utf8Length(text);
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
