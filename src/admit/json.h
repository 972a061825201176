// SPDX-License-Identifier: MIT
//
// A writer of JSON (RFC 8259). The result is one well-formed value in UTF-8, whatever the
// strings hold, and harmless to print (base/text.h).
#ifndef ALLOY_SRC_ADMIT_JSON_H_
#define ALLOY_SRC_ADMIT_JSON_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace alloy::core {

class JsonWriter {
 public:
  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  // In an object, before each value.
  void Key(std::string_view key);

  // Bytes that are not UTF-8 become U+FFFD.
  void String(std::string_view text);
  void Int(int64_t number) { Value(std::to_string(number)); }
  void Unsigned(uint64_t number) { Value(std::to_string(number)); }
  void Bool(bool value) { Value(value ? "true" : "false"); }
  void Null() { Value("null"); }
  // A value that another writer wrote.
  void Written(std::string_view value) { Value(value); }

  const std::string& text() const { return text_; }

 private:
  void Open(char bracket);
  void Close(char bracket);
  void Value(std::string_view text);
  void Separate();
  void Append(std::string_view text);
  void AppendNumber(char32_t number);

  std::string text_;
  bool first_ = true;  // of its object or array: no comma before it
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_JSON_H_
