// SPDX-License-Identifier: MIT
#include "base/utf8.h"

#include <gtest/gtest.h>

namespace alloy::core {
namespace {

TEST(Utf8Test, MeasuresTheFirstCharacter) {
  EXPECT_EQ(Utf8Length("az"), 1u);
  EXPECT_EQ(Utf8Length("éz"), 2u);
  EXPECT_EQ(Utf8Length("東z"), 3u);
  EXPECT_EQ(Utf8Length("🛩z"), 4u);
  EXPECT_EQ(Utf8Length(""), 0u);
  EXPECT_EQ(Utf8Length("\x80"), 0u);
}

TEST(Utf8Test, ReplacesEachByteThatIsNotUtf8) {
  EXPECT_EQ(AsUtf8("a\xFFé\xE6\x9D"), "a?é??");
  EXPECT_EQ(AsUtf8(""), "");
}

TEST(Utf8Test, CutsBetweenCharacters) {
  EXPECT_EQ(CutText("abcé", 5), "abcé");
  EXPECT_EQ(CutText("abcé", 4), "abc");
  EXPECT_EQ(CutText("abc", 0).size(), 0u);
}

TEST(Utf8Test, CutsTextThatIsNotUtf8AtTheLimit) {
  EXPECT_EQ(CutText(std::string(9, '\x80'), 5).size(), 5u);
}

}  // namespace
}  // namespace alloy::core
