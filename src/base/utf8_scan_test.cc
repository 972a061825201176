// SPDX-License-Identifier: MIT
#include "base/utf8_scan.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "base/utf8.h"

namespace alloy::core {
namespace {

// What both scans must return: one character after another by the table of Unicode.
TextKind KindOf(std::string_view bytes) {
  TextKind kind = TextKind::kAscii;
  while (!bytes.empty()) {
    const size_t length = Utf8Length(bytes);
    if (length == 0) return TextKind::kInvalid;
    if (length > 1) kind = TextKind::kUtf8;
    bytes.remove_prefix(length);
  }
  return kind;
}

void ExpectKind(const std::string& text) {
  const TextKind kind = KindOf(text);
  ASSERT_EQ(ScanText(text), kind) << testing::PrintToString(text);
  ASSERT_EQ(ScanTextPlainly(text), kind) << testing::PrintToString(text);
}

// The sequence at places around the borders of words, vectors and groups of vectors.
void ExpectKindEverywhere(const std::string& bytes) {
  for (const size_t before : {0, 1, 7, 15, 29, 30, 31, 32, 61, 125, 126, 127, 128, 250}) {
    const std::string text = std::string(before, 'a') + bytes;
    ExpectKind(text);
    ExpectKind(text + "b");
    ExpectKind(text + std::string(130, 'b'));
  }
}

TEST(Utf8ScanTest, KnowsEveryPairAndTripleOfBytesThatMatters) {
  // The borders of all ranges in table 3-7 of the Unicode Standard.
  const std::string borders =
      std::string("\x00\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xe1\xec\xed\xee",
                  17) +
      "\xef\xf0\xf1\xf3\xf4\xf5\xf7\xf8\xff";
  for (const char a : borders) {
    for (const char b : borders) {
      ExpectKindEverywhere({a, b});
      for (const char c : borders) ExpectKind(std::string(20, 'x') + a + b + c);
    }
  }
}

TEST(Utf8ScanTest, KnowsEveryCharacter) {
  const auto encoded = [](uint32_t c) {
    std::string text;
    const auto add = [&](uint32_t byte) { text += static_cast<char>(byte); };
    const auto tail = [&](uint32_t bits) { add(0x80U | (bits & 0x3FU)); };
    if (c < 0x80) {
      add(c);
    } else if (c < 0x800) {
      add(0xC0U | c >> 6), tail(c);
    } else if (c < 0x10000) {
      add(0xE0U | c >> 12), tail(c >> 6), tail(c);
    } else {
      add(0xF0U | c >> 18), tail(c >> 12), tail(c >> 6), tail(c);
    }
    return text;
  };
  std::string all;
  for (uint32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c < 0xD800 || c > 0xDFFF) all += encoded(c);
  }
  EXPECT_EQ(ScanText(all), TextKind::kUtf8);
  EXPECT_EQ(ScanTextPlainly(all), TextKind::kUtf8);
  for (const uint32_t wrong :
       {0xD800U, 0xDBFFU, 0xDC00U, 0xDFFFU, 0x110000U, 0x13FFFFU}) {
    ExpectKindEverywhere(encoded(wrong));
  }
  for (const char* right :
       {"\xC2\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    ExpectKindEverywhere(right);
    // Cut at each place.
    const std::string text = right;
    for (size_t n = 1; n < text.size(); ++n) ExpectKindEverywhere(text.substr(0, n));
    for (size_t n = 1; n < text.size(); ++n) ExpectKindEverywhere(text.substr(n));
  }
}

TEST(Utf8ScanTest, BothScansAgreeOnRandomBytes) {
  std::mt19937 random(7);
  const char* const kParts[] = {"a", "xyz", "é", "€", "𝄞", "0123456789abcdef"};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    const size_t parts = random() % 40;
    for (size_t i = 0; i < parts; ++i) text += kParts[random() % 6];
    if (!text.empty() && random() % 2 == 0) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    ExpectKind(text);
  }
}

}  // namespace
}  // namespace alloy::core
