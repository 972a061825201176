// SPDX-License-Identifier: MIT
#include "admit/json.h"

#include "base/text.h"
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

// Characters that a terminal obeys are escaped, so that the JSON can be printed as it is.
void JsonWriter::Append(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    const char32_t number = length == 0 ? 0xFFFD : Utf8Character(character);
    if (number == '"' || number == '\\') {
      text_ += {'\\', character[0]};
    } else if (length == 0 || IsHarmful(number)) {
      AppendNumber(number);
    } else {
      text_ += character;
    }
    text.remove_prefix(character.size());
  }
}

// `\uNNNN`, or two of them for a number of more than 16 bits.
void JsonWriter::AppendNumber(char32_t number) {
  constexpr char kDigits[] = "0123456789abcdef";
  if (number > 0xFFFF) {
    AppendNumber(0xD800 + ((number - 0x10000) >> 10U));
    number = 0xDC00 + ((number - 0x10000) & 0x3FFU);
  }
  text_ += {'\\',
            'u',
            kDigits[number >> 12U],
            kDigits[number >> 8U & 15U],
            kDigits[number >> 4U & 15U],
            kDigits[number & 15U]};
}

}  // namespace alloy::core
