// SPDX-License-Identifier: MIT
#include "admit/json.h"

#include <gtest/gtest.h>

#include "tests/support/hostile_texts.h"

namespace alloy::core {
namespace {

std::string Quoted(std::string_view text) {
  JsonWriter json;
  json.String(text);
  return json.text();
}

TEST(JsonTest, NestsObjectsAndArrays) {
  JsonWriter json;
  json.BeginObject();
  json.Key("a");
  json.BeginArray();
  json.Int(-1);
  json.BeginArray();
  json.EndArray();
  json.Unsigned(UINT64_MAX);
  json.EndArray();
  json.Key("b");
  json.BeginObject();
  json.EndObject();
  json.Key("c");
  json.Bool(true);
  json.Key("d");
  json.Null();
  json.EndObject();
  EXPECT_EQ(json.text(),
            R"({"a":[-1,[],18446744073709551615],"b":{},"c":true,"d":null})");
}

TEST(JsonTest, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(Quoted("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(Quoted("\n\t\x1f\x7f"), R"("\u000a\u0009\u001f\u007f")");
  EXPECT_EQ(Quoted(std::string_view("\0", 1)), R"("\u0000")");
  EXPECT_EQ(Quoted("å€𝄞"), "\"å€𝄞\"");
}

TEST(JsonTest, IsHarmlessToPrintAndKeepsTheValue) {
  for (const std::string_view text : support::kHostileTexts) {
    EXPECT_TRUE(support::IsSafeToPrint(Quoted(text))) << Quoted(text);
  }
  EXPECT_EQ(Quoted("\xc2\x9b\xe2\x80\xae"), R"("\u009b\u202e")");
  EXPECT_EQ(Quoted("\xf3\xa0\x80\x81"), R"("\udb40\udc01")");  // U+E0001
}

TEST(JsonTest, ReplacesWhatIsNoUtf8) {
  for (const char* text : {"\x80", "\xff", "\xc0", "\xe2\x82", "\xf0\x9d\x84", "\xc3"}) {
    const std::string json = Quoted(text);
    EXPECT_EQ(json.find_first_not_of("\"\\ufd"), std::string::npos) << json;
  }
  EXPECT_EQ(Quoted("\xc0\xaf"), R"("\ufffd\ufffd")");            // overlong
  EXPECT_EQ(Quoted("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");  // a surrogate
  EXPECT_EQ(Quoted("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
  EXPECT_EQ(Quoted("a\xffz"), R"("a\ufffdz")");
}

}  // namespace
}  // namespace alloy::core
