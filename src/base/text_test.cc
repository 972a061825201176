// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <gtest/gtest.h>

#include "base/utf8.h"
#include "tests/support/hostile_texts.h"

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

TEST(HarmlessTest, EveryHostileTextBecomesOneLineThatATerminalOnlyShows) {
  for (const std::string_view text : support::kHostileTexts) {
    ASSERT_FALSE(support::IsSafeToPrint(text)) << Escaped(text);
    for (const std::string& shown :
         {Harmless(text), Escaped(text), Quoted(text), Harmless(text, 5)}) {
      EXPECT_TRUE(support::IsSafeToPrint(shown)) << Escaped(text);
    }
    EXPECT_TRUE(support::IsSafeToPrint(HarmlessLines(text), true)) << Escaped(text);
    std::string path;
    AppendPathPart(text, 0, &path);
    EXPECT_TRUE(support::IsSafeToPrint(path));
  }
}

TEST(HarmlessTest, EveryCharacterIsEitherShownOrEscaped) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    if (c < 0x80) {
      text = {static_cast<char>(c)};
    } else {
      const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
      constexpr unsigned kLead[] = {0, 0xC0, 0xE0, 0xF0};
      text += static_cast<char>(kLead[more] | c >> static_cast<unsigned>(6 * more));
      for (int i = more - 1; i >= 0; --i) {
        text += static_cast<char>(0x80U | (c >> static_cast<unsigned>(6 * i) & 0x3FU));
      }
    }
    ASSERT_EQ(Utf8Length(text), text.size()) << std::hex << uint32_t{c};
    ASSERT_EQ(Utf8Character(text), c);
    ASSERT_EQ(support::IsSafeToPrint(text), !IsHarmful(c)) << std::hex << uint32_t{c};
    ASSERT_EQ(Harmless(text) == text, !IsHarmful(c)) << std::hex << uint32_t{c};
  }
}

TEST(HarmlessTest, WhatIsHarmlessStaysTheSame) {
  for (const char* text : {"", "Göteborg, 東京 🛩", "C:\\x \\x1b \"q\"", "1\u200D2 … 3"}) {
    EXPECT_EQ(Harmless(text), text);
    EXPECT_EQ(HarmlessLines(text), text);
  }
  for (const std::string_view text : support::kHostileTexts) {
    EXPECT_EQ(Harmless(Harmless(text)), Harmless(text));
    EXPECT_EQ(HarmlessLines(HarmlessLines(text)), HarmlessLines(text));
  }
}

TEST(HarmlessTest, LinesAfterTheFirstAreIndented) {
  EXPECT_EQ(HarmlessLines("a\nb\r\n  c\n    d\n\n"), "a\n  b\n  c\n    d");
  EXPECT_EQ(HarmlessLines("a\rb\n\nc"), "a\\rb\n  \n  c");
  EXPECT_EQ(Harmless("a\nb"), "a\\nb");
}

TEST(HarmlessTest, LongTextsAreCutBetweenCharacters) {
  EXPECT_EQ(Harmless("abcé", 4), "abc…");
  const std::string long_text(size_t{1} << 20U, 'x');
  EXPECT_EQ(Harmless(long_text).size(), kMostHarmless + 3);
  EXPECT_EQ(HarmlessLines(long_text).size(), kMostHarmless + 3);
}

}  // namespace
}  // namespace alloy::core
