// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <gtest/gtest.h>

namespace alloy::core {
namespace {

std::string Escaped(std::string_view bytes, char quote = '\0') {
  std::string out;
  AppendEscaped(bytes, quote, &out);
  return out;
}

TEST(TextTest, KeepsPrintableText) {
  EXPECT_EQ(Escaped("Göteborg, 東京 🛩 it's \"so\""), "Göteborg, 東京 🛩 it's \"so\"");
}

TEST(TextTest, EscapesControlCharactersQuotesAndBackslashes) {
  EXPECT_EQ(Escaped("a\n\t\r\\\"\x01\x7F", '"'), "a\\n\\t\\r\\\\\\\"\\x01\\x7f");
  EXPECT_EQ(Escaped(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(Escaped("\xC2\x85"), "\\xc2\\x85");  // U+0085, next line
}

TEST(TextTest, EscapesCharactersThatChangeHowTheRestIsShown) {
  EXPECT_EQ(Escaped("\xE2\x80\xA8"), "\\xe2\\x80\\xa8");  // U+2028, a line separator
  EXPECT_EQ(Escaped("\xE2\x80\xAE"), "\\xe2\\x80\\xae");  // U+202E, right to left
  EXPECT_EQ(Escaped("\xE2\x81\xA6"), "\\xe2\\x81\\xa6");  // U+2066, isolated
  EXPECT_EQ(Escaped("1\u200D2 … 3"), "1\u200D2 … 3");     // joins emoji; an ellipsis
}

TEST(TextTest, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(Escaped("a\xFFz"), "a\\xffz");
  EXPECT_EQ(Escaped("\xC3"), "\\xc3");                             // cut short
  EXPECT_EQ(Escaped("\xC0\x80"), "\\xc0\\x80");                    // too long for U+0000
  EXPECT_EQ(Escaped("\xE0\x80\x80"), "\\xe0\\x80\\x80");           // too long
  EXPECT_EQ(Escaped("\xED\xA0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(Escaped("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond the last
  EXPECT_EQ(Escaped("\xF0\x8F\xBF\xBF"), "\\xf0\\x8f\\xbf\\xbf");  // too long
  EXPECT_EQ(Escaped("\x80"), "\\x80");
}

TEST(TextTest, CutsLongNamesBetweenCharacters) {
  EXPECT_EQ(Quoted(std::string(70, 'x')), "\"" + std::string(64, 'x') + "…\"");
  EXPECT_EQ(Quoted(std::string(63, 'x') + "é"), "\"" + std::string(63, 'x') + "…\"");
  std::string path = "a";
  AppendPathPart(std::string(70, 'y'), 0, &path);
  EXPECT_EQ(path, "a." + std::string(64, 'y') + "…");
}

}  // namespace
}  // namespace alloy::core
