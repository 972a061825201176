// SPDX-License-Identifier: MIT
#include "trust/time_text.h"

#include <gtest/gtest.h>

namespace alloy::core {
namespace {

TEST(TimeTextTest, ReadsAndWritesTheSameSeconds) {
  EXPECT_EQ(ParseTime("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseTime("2026-09-01T00:00:00Z"), 1788220800);
  EXPECT_EQ(ParseTime("2024-02-29T23:59:59Z"), 1709251199);
  for (const int64_t time : {int64_t{0}, int64_t{1788220800}, int64_t{1709251199},
                             int64_t{253402300799}, int64_t{-1}}) {
    EXPECT_EQ(ParseTime(TimeText(time)), time) << TimeText(time);
  }
}

TEST(TimeTextTest, RefusesOtherSpellingsAndDaysThatDoNotExist) {
  for (const char* text :
       {"", "2026-09-01", "2026-09-01T00:00:00", "2026-09-01 00:00:00Z",
        "2026-09-01T00:00:00z", "2026-09-01T00:00:00+00:00", "2026-9-1T00:00:00Z",
        "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "-026-01-01T00:00:00Z",
        "2026-01-01T0a:00:00Z", "2026-01-01T00:00:00ZZ"}) {
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace alloy::core
