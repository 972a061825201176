// SPDX-License-Identifier: MIT
#include "base/status.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "base/guard.h"
#include "base/result.h"
#include "tests/support/hostile_texts.h"

namespace alloy::core {
namespace {

TEST(StatusTest, TellsTheSameTextTwice) {
  const Status status = Fail(ALLOY_BAD_DATA, ALLOY_REASON_OFFSETS, "offsets decrease");
  alloy_error first{}, second{};
  EXPECT_EQ(status.CopyTo(&first), ALLOY_BAD_DATA);
  EXPECT_EQ(status.CopyTo(&second), ALLOY_BAD_DATA);
  EXPECT_STREQ(first.text, "offsets decrease");
  EXPECT_EQ(first.length, 16);
  EXPECT_STREQ(second.text, first.text);
  EXPECT_EQ(first.reason, ALLOY_REASON_OFFSETS);
  EXPECT_EQ(first.input, -1);
  EXPECT_EQ(first.side, ALLOY_SIDE_ENGINE);
}

TEST(StatusTest, WhatTheCallerCanCorrectIsTheCallersSide) {
  EXPECT_EQ(Fail(ALLOY_INVALID, "").fault().side, ALLOY_SIDE_CALLER);
  EXPECT_EQ(Fail(ALLOY_NOT_FOUND, "").fault().side, ALLOY_SIDE_CALLER);
  EXPECT_EQ(Fail(ALLOY_NO_MATCH, "").fault().side, ALLOY_SIDE_CALLER);
  EXPECT_EQ(Fail(ALLOY_REFUSED, "").fault().side, ALLOY_SIDE_ENGINE);
}

TEST(StatusTest, NoTextControlsATerminalOrForgesALine) {
  for (const std::string_view text : support::kHostileTexts) {
    const std::string hostile(text);
    const Status made = Fail(ALLOY_REFUSED, "needs " + hostile);
    const Status backends(Fault{.code = ALLOY_FAILED, .text = hostile});
    alloy_error err{};
    for (const Status& status : {made, made.WithPrefix(hostile + ": ")}) {
      (void)status.CopyTo(&err);
      EXPECT_EQ(std::string_view(err.text).size(), err.length);
      EXPECT_TRUE(support::IsSafeToPrint(err.text)) << err.text;
    }
    for (const Status& status :
         {backends, backends.WithPrefix(hostile), backends.WithInput(1),
          backends.WithSide(ALLOY_SIDE_BACKEND)}) {
      (void)status.CopyTo(&err);
      EXPECT_EQ(std::string_view(err.text).size(), err.length);
      EXPECT_TRUE(support::IsSafeToPrint(err.text, /*lines=*/true)) << err.text;
    }
    // However long, and wherever it is cut.
    for (size_t more = 980; more < 1010; ++more) {
      (void)Fail(ALLOY_REFUSED, std::string(more, 'x') + hostile).CopyTo(&err);
      EXPECT_TRUE(support::IsSafeToPrint(err.text)) << err.text;
    }
  }
}

TEST(StatusTest, LeavesTheErrorAloneWhenOk) {
  alloy_error err{};
  err.code = 77;
  EXPECT_EQ(Status().CopyTo(&err), ALLOY_OK);
  EXPECT_EQ(err.code, 77);
}

TEST(StatusTest, CutsLongTextBetweenCharacters) {
  std::string text(1002, 'x');
  text += "é tail";  // the two bytes of é are numbers 1002 and 1003: the limit cuts it
  alloy_error err{};
  EXPECT_EQ(Fail(ALLOY_FAILED, text).CopyTo(&err), ALLOY_FAILED);
  EXPECT_EQ(err.length, 1002);
  EXPECT_EQ(err.text[1001], 'x');
  EXPECT_EQ(err.text[1002], '\0');
}

TEST(StatusTest, ANulInsideTheTextHidesNothingBehindIt) {
  alloy_error err{};
  (void)Fail(ALLOY_FAILED, std::string("a\0b", 3)).CopyTo(&err);
  EXPECT_STREQ(err.text, "a\\x00b");
}

TEST(StatusTest, ChangesOnlyWhatIsSeenFromFurtherOut) {
  const Status inner = Fail(ALLOY_BAD_DATA, ALLOY_REASON_LENGTH, "length -1");
  const Status outer =
      inner.WithInput(2).WithSide(ALLOY_SIDE_CALLER).WithPrefix("input 2: ");
  EXPECT_EQ(outer.fault().input, 2);
  EXPECT_EQ(outer.fault().side, ALLOY_SIDE_CALLER);
  EXPECT_EQ(outer.fault().text, "input 2: length -1");
  EXPECT_EQ(inner.fault().input, -1);
}

Result<int> Half(int n) {
  if (n % 2 != 0) return Fail(ALLOY_INVALID, "odd");
  return n / 2;
}

Result<int> Quarter(int n) {
  ALLOY_ASSIGN_OR_RETURN(const int half, Half(n));
  return Half(half);
}

TEST(ResultTest, PassesTheFirstFailureOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).status().code(), ALLOY_INVALID);
  EXPECT_EQ(Quarter(5).status().fault().text, "odd");
}

TEST(GuardTest, TurnsWhateverIsThrownIntoACode) {
  alloy_error err{};
  EXPECT_EQ(Guard(&err, []() -> Status { throw std::runtime_error("boom"); }),
            ALLOY_INTERNAL);
  EXPECT_NE(std::string(err.text).find("boom"), std::string::npos);
  EXPECT_EQ(Guard(&err, []() -> Status { throw 7; }), ALLOY_INTERNAL);
  EXPECT_EQ(Guard(&err, []() -> Status { throw std::bad_alloc(); }), ALLOY_EXHAUSTED);
  EXPECT_STREQ(err.text, "out of memory");
  EXPECT_EQ(err.length, 13);
  EXPECT_EQ(Guard(nullptr, []() -> Status { throw 7; }), ALLOY_INTERNAL);
}

TEST(GuardTest, ForeignCodeThatThrowsIsToldFromForeignCodeThatReturns) {
  std::string text;
  EXPECT_TRUE(EnterForeign(&text, [] {}));
  EXPECT_EQ(text, "");
  EXPECT_FALSE(EnterForeign(&text, [] { throw std::runtime_error("boom"); }));
  EXPECT_NE(text.find("boom"), std::string::npos);
  EXPECT_FALSE(EnterForeign(&text, [] { throw 7; }));
  EXPECT_NE(text.find("unknown type"), std::string::npos);
}

}  // namespace
}  // namespace alloy::core
