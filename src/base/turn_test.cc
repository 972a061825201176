// SPDX-License-Identifier: MIT
#include "base/turn.h"

#include <gtest/gtest.h>

namespace alloy::core {
namespace {

TEST(TurnTest, ASecondUserIsTurnedAwayUntilTheFirstHasEnded) {
  std::atomic<bool> busy = false;
  {
    const Turn first(&busy);
    EXPECT_TRUE(first);
    EXPECT_FALSE(Turn(&busy));
    EXPECT_TRUE(busy);  // the one that was turned away has freed nothing
  }
  EXPECT_TRUE(Turn(&busy));
}

TEST(TurnTest, AMovedTurnEndsOnce) {
  std::atomic<bool> busy = false;
  Turn first(&busy);
  {
    const Turn second(std::move(first));
    EXPECT_TRUE(second);
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): what a move leaves behind
  }
  const Turn third(&busy);
  EXPECT_TRUE(third);
}

}  // namespace
}  // namespace alloy::core
