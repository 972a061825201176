// SPDX-License-Identifier: MIT
#include "engine/channel/deadlines.h"

#include <gtest/gtest.h>

#include "engine/test_backend.h"

namespace alloy::core {
namespace {

using Clock = Deadlines::Clock;

class DeadlinesTest : public ::testing::Test {
 protected:
  Deadlines::Target TargetOf(RunControl& control, uint64_t run) {
    return {&channel_, &control, run};
  }
  static void WaitFor(const RunControl& control, uint64_t run) {
    while (control.expired.load() != run) std::this_thread::yield();
  }

  // A watch that has started.
  class Watch : public Deadlines::Watch {
   public:
    Watch(Deadlines& deadlines, Clock::time_point when, const Deadlines::Target& target) {
      EXPECT_TRUE(Start(deadlines, when, target).ok());
    }
  };

  CountingChannel channel_{nullptr};  // no backend is entered
  ProcessMark mark_;
  Deadlines deadlines_{mark_};  // its thread ends before the channel does
};

TEST_F(DeadlinesTest, EachTargetIsToldOfItsOwnRun) {
  RunControl a, b, c;
  const auto now = Clock::now();
  const Watch far(deadlines_, now + std::chrono::hours(1), TargetOf(c, 3));
  const Watch second(deadlines_, now + std::chrono::milliseconds(2), TargetOf(b, 2));
  const Watch first(deadlines_, now + std::chrono::milliseconds(1), TargetOf(a, 1));
  WaitFor(a, 1);
  WaitFor(b, 2);
  EXPECT_EQ(c.expired.load(), 0u);
}

TEST_F(DeadlinesTest, ATimeThatHasPassedComesAtOnce) {
  RunControl control;
  const Watch watch(deadlines_, Clock::time_point::min(), TargetOf(control, 7));
  WaitFor(control, 7);
}

TEST_F(DeadlinesTest, TheChannelIsInterruptedOnceForEachRunThatIsLate) {
  RunControl a, b;
  const Watch first(deadlines_, Clock::now(), TargetOf(a, 1));
  while (channel_.interrupts != 1) std::this_thread::yield();
  EXPECT_EQ(channel_.interrupted, &a);
  // The first target is still in the queue, and is not late a second time.
  const Watch second(deadlines_, Clock::now(), TargetOf(b, 2));
  while (channel_.interrupts != 2) std::this_thread::yield();
  EXPECT_EQ(channel_.interrupted, &b);
}

TEST_F(DeadlinesTest, AWatchThatEndedIsNotTold) {
  RunControl gone, marker;
  Clock::time_point when;
  // A machine may be too slow to end the watch before its time.
  for (auto time = std::chrono::milliseconds(5);; time *= 2) {
    gone.expired.store(0);
    when = Clock::now() + time;
    {
      const Watch watch(deadlines_, when, TargetOf(gone, 1));
    }
    if (gone.expired.load() == 0) break;
  }
  const Watch watch(deadlines_, when + std::chrono::milliseconds(5), TargetOf(marker, 1));
  WaitFor(marker, 1);
  EXPECT_EQ(gone.expired.load(), 0u);
}

TEST_F(DeadlinesTest, OneThatHasPassedDelaysNoOther) {
  RunControl a, b;
  const Watch passed(deadlines_, Clock::now(), TargetOf(a, 1));
  WaitFor(a, 1);
  // The first is still in the queue, before this one.
  const Watch later(deadlines_, Clock::now() + std::chrono::milliseconds(1),
                    TargetOf(b, 2));
  WaitFor(b, 2);
}

TEST_F(DeadlinesTest, NeverIsNoReasonToSpin) {
  RunControl never, soon;
  const Watch a(deadlines_, Clock::time_point::max(), TargetOf(never, 1));
  const Watch b(deadlines_, Clock::now(), TargetOf(soon, 1));
  WaitFor(soon, 1);
  EXPECT_EQ(never.expired.load(), 0u);
}

}  // namespace
}  // namespace alloy::core
