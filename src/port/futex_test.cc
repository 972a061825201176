// SPDX-License-Identifier: MIT
#include "port/futex.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>
#include <thread>
#include <vector>

#include "port/clock.h"

namespace alloy::core {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// Two words that a forked child shares.
class FutexTest : public testing::Test {
 protected:
  FutexTest() {
    void* page =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(page, MAP_FAILED);
    ping_ = ::new (page) std::atomic<uint32_t>(0);
    pong_ = ::new (static_cast<char*>(page) + 64) std::atomic<uint32_t>(0);
  }
  ~FutexTest() override { ::munmap(ping_, 4096); }

  std::atomic<uint32_t>* ping_;
  std::atomic<uint32_t>* pong_;
};

bool WaitFor(const std::atomic<uint32_t>& word, uint32_t wanted, int64_t deadline) {
  for (uint32_t seen; (seen = word.load(std::memory_order_acquire)) != wanted;) {
    if (!FutexWait(word, seen, deadline)) return false;
  }
  return true;
}

TEST_F(FutexTest, ReturnsFalseOnlyAfterTheDeadline) {
  const int64_t deadline = MonotonicNanos() + kSecond / 50;
  while (FutexWait(*ping_, 0, deadline)) {
  }
  EXPECT_GE(MonotonicNanos(), deadline);
  EXPECT_FALSE(FutexWait(*ping_, 0, 0));
}

TEST_F(FutexTest, DoesNotSleepOnAnotherValue) {
  EXPECT_TRUE(FutexWait(*ping_, 1, kNoDeadline));
  EXPECT_TRUE(FutexWait(*ping_, 1, 0));
}

TEST_F(FutexTest, WakesAnotherProcessEachTime) {
  constexpr uint32_t kTurns = 2000;
  const int64_t deadline = MonotonicNanos() + 60 * kSecond;
  const pid_t child = ::fork();
  if (child == 0) {
    for (uint32_t turn = 1; turn <= kTurns; ++turn) {
      if (!WaitFor(*ping_, turn, deadline)) ::_exit(1);
      pong_->store(turn, std::memory_order_release);
      FutexWakeAll(*pong_);
    }
    ::_exit(0);
  }
  for (uint32_t turn = 1; turn <= kTurns; ++turn) {
    ping_->store(turn, std::memory_order_release);
    FutexWakeAll(*ping_);
    ASSERT_TRUE(WaitFor(*pong_, turn, deadline)) << turn;
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(FutexTest, WakesEveryWaiter) {
  std::atomic<int> woken{0};
  std::vector<std::thread> waiters;
  const int64_t deadline = MonotonicNanos() + 60 * kSecond;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] { woken += WaitFor(*ping_, 1, deadline) ? 1 : 0; });
  }
  ping_->store(1, std::memory_order_release);
  FutexWakeAll(*ping_);
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_EQ(woken, 4);
}

TEST_F(FutexTest, WaitsOnAWordThatIsMappedReadOnly) {
  ASSERT_EQ(::mprotect(ping_, 4096, PROT_READ), 0);
  const int64_t deadline = MonotonicNanos() + kSecond / 100;
  while (FutexWait(*ping_, 0, deadline)) {
  }
  EXPECT_GE(MonotonicNanos(), deadline);
}

}  // namespace
}  // namespace alloy::core
