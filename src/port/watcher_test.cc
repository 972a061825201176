// SPDX-License-Identifier: MIT
#include "port/watcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>
#include <utility>
#include <vector>

#include "port/child.h"
#include "port/clock.h"

namespace alloy::core {
namespace {

class WatcherTest : public testing::Test {
 protected:
  WatcherTest() {
    auto made = Watcher::Make();
    EXPECT_TRUE(made.ok());
    watcher_ = *std::move(made);
  }

  static int64_t In(int64_t seconds) {
    return MonotonicNanos() + seconds * kNanosPerSecond;
  }

  std::vector<uint64_t> Wait(int64_t deadline_ns) {
    std::array<uint64_t, 8> tags;
    const auto ready = watcher_.Wait(tags, deadline_ns);
    return {ready.begin(), ready.end()};
  }

  static Child Start(const std::string& script) {
    auto child = Child::Start({.program = "/bin/sh",
                               .arguments = {"sh", "-c", script},
                               .environment = {},
                               .hand_over = {}});
    EXPECT_TRUE(child.ok());
    return *std::move(child);
  }

  Watcher watcher_;
};

TEST_F(WatcherTest, ReportsWhatAChildWritesAndThatItEnds) {
  Child child = Start("echo words; exec sleep 1000");
  ASSERT_TRUE(watcher_.Add(child.handle(), 1).ok());
  ASSERT_TRUE(watcher_.Add(child.output(), 2).ok());
  EXPECT_EQ(Wait(In(60)), std::vector<uint64_t>{2});
  std::array<char, 16> text;
  EXPECT_EQ(::read(child.output().get(), text.data(), text.size()), 6);
  EXPECT_EQ(Wait(0), std::vector<uint64_t>{});

  child.Kill(SIGKILL);
  std::vector<uint64_t> ready = Wait(In(60));
  while (ready.size() < 2) ready = Wait(In(60));  // the pipe may close a moment before
  std::sort(ready.begin(), ready.end());
  EXPECT_EQ(ready, (std::vector<uint64_t>{1, 2}));
  watcher_.Remove(child.output());
  EXPECT_EQ(Wait(In(60)), std::vector<uint64_t>{1});
  watcher_.Remove(child.handle());
  EXPECT_EQ(Wait(0), std::vector<uint64_t>{});
}

TEST_F(WatcherTest, ReturnsAfterTheDeadlineAndNotBefore) {
  const int64_t deadline = MonotonicNanos() + kNanosPerSecond / 50;
  EXPECT_EQ(Wait(deadline), std::vector<uint64_t>{});
  EXPECT_GE(MonotonicNanos(), deadline);
}

TEST_F(WatcherTest, AWakeIsNotLostAndEndsOneWait) {
  watcher_.Wake();
  watcher_.Wake();
  EXPECT_EQ(Wait(kNanosPerSecond * -1), std::vector<uint64_t>{});
  const int64_t deadline = MonotonicNanos() + kNanosPerSecond / 100;
  EXPECT_EQ(Wait(deadline), std::vector<uint64_t>{});
  EXPECT_GE(MonotonicNanos(), deadline);
}

TEST_F(WatcherTest, WakesAThreadThatWaits) {
  std::thread waker([this] { watcher_.Wake(); });
  EXPECT_EQ(Wait(-1), std::vector<uint64_t>{});
  waker.join();
}

TEST_F(WatcherTest, MoreThanThereIsRoomForComesWithTheNextWaits) {
  std::vector<Child> children;
  for (uint64_t tag = 0; tag < 5; ++tag) {
    children.push_back(Start("exit 0"));
    ASSERT_TRUE(watcher_.Add(children.back().handle(), tag).ok());
  }
  watcher_.Wake();
  std::vector<uint64_t> seen;
  while (seen.size() < 5) {
    std::array<uint64_t, 2> tags;
    const auto ready = watcher_.Wait(tags, In(60));
    ASSERT_LE(ready.size(), 2u);
    for (const uint64_t tag : ready) {
      seen.push_back(tag);
      watcher_.Remove(children[tag].handle());
    }
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<uint64_t>{0, 1, 2, 3, 4}));
}

TEST_F(WatcherTest, AForkedHostCannotDisturbIt) {
  Child child = Start("exec sleep 1000");
  ASSERT_TRUE(watcher_.Add(child.handle(), 1).ok());
  const pid_t forked = ::fork();
  if (forked == 0) {
    {
      const Watcher taken = std::move(watcher_);
    }
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(forked, nullptr, 0), forked);
  child.Kill(SIGKILL);
  EXPECT_EQ(Wait(In(60)), std::vector<uint64_t>{1});
}

TEST_F(WatcherTest, SaysWhatCannotBeWatched) {
  const Status status = watcher_.Add(Fd(), 1);
  EXPECT_EQ(status.code(), ALLOY_UNSUPPORTED);
  EXPECT_EQ(status.fault().text, "cannot watch a descriptor: Bad file descriptor");
}

}  // namespace
}  // namespace alloy::core
