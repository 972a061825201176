// SPDX-License-Identifier: MIT
#include "engine/call/deadlines.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace alloy::core {
namespace {

using Clock = Deadlines::Clock;

void WaitFor(const std::atomic<uint64_t>& expired, uint64_t run) {
  while (expired.load() != run) std::this_thread::yield();
}

TEST(DeadlinesTest, EachTargetIsToldOfItsOwnRun) {
  Deadlines deadlines;
  std::atomic<uint64_t> a{0}, b{0}, c{0};
  const auto now = Clock::now();
  const Deadlines::Watch far(deadlines, now + std::chrono::hours(1), &c, 3);
  const Deadlines::Watch second(deadlines, now + std::chrono::milliseconds(2), &b, 2);
  const Deadlines::Watch first(deadlines, now + std::chrono::milliseconds(1), &a, 1);
  WaitFor(a, 1);
  WaitFor(b, 2);
  EXPECT_EQ(c.load(), 0u);
}

TEST(DeadlinesTest, ATimeThatHasPassedComesAtOnce) {
  Deadlines deadlines;
  std::atomic<uint64_t> expired{0};
  const Deadlines::Watch watch(deadlines, Clock::time_point::min(), &expired, 7);
  WaitFor(expired, 7);
}

TEST(DeadlinesTest, AWatchThatEndedIsNotTold) {
  Deadlines deadlines;
  std::atomic<uint64_t> gone{0}, marker{0};
  {
    const Deadlines::Watch watch(deadlines, Clock::now() + std::chrono::milliseconds(5),
                                 &gone, 1);
  }
  const Deadlines::Watch watch(deadlines, Clock::now() + std::chrono::milliseconds(10),
                               &marker, 1);
  WaitFor(marker, 1);
  EXPECT_EQ(gone.load(), 0u);
}

TEST(DeadlinesTest, OneThatHasPassedDelaysNoOther) {
  Deadlines deadlines;
  std::atomic<uint64_t> a{0}, b{0};
  const Deadlines::Watch passed(deadlines, Clock::now(), &a, 1);
  WaitFor(a, 1);
  // The first still stands in the queue, before this one.
  const Deadlines::Watch later(deadlines, Clock::now() + std::chrono::milliseconds(1), &b,
                               2);
  WaitFor(b, 2);
}

TEST(DeadlinesTest, NeverIsNoReasonToSpin) {
  Deadlines deadlines;
  std::atomic<uint64_t> never{0}, soon{0};
  const Deadlines::Watch a(deadlines, Clock::time_point::max(), &never, 1);
  const Deadlines::Watch b(deadlines, Clock::now(), &soon, 1);
  WaitFor(soon, 1);
  EXPECT_EQ(never.load(), 0u);
}

}  // namespace
}  // namespace alloy::core
