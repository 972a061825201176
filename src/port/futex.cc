// SPDX-License-Identifier: MIT
#include "port/futex.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "port/clock.h"

namespace alloy::core {
namespace {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) &&
              std::atomic<uint32_t>::is_always_lock_free);

// Without FUTEX_PRIVATE_FLAG: the kernel finds the word by its page, not by its address.
long Futex(const std::atomic<uint32_t>& word, int operation, uint32_t value,
           const struct timespec* until) {
  return ::syscall(SYS_futex, &word, operation, value, until, nullptr,
                   FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

bool FutexWait(const std::atomic<uint32_t>& word, uint32_t expected,
               int64_t deadline_ns) noexcept {
  const bool ends = deadline_ns >= 0;
  // FUTEX_WAIT_BITSET, because its time is a point of CLOCK_MONOTONIC: a wait that a signal
  // interrupts does not begin again.
  const struct timespec until{.tv_sec = deadline_ns / kNanosPerSecond,
                              .tv_nsec = deadline_ns % kNanosPerSecond};
  if (Futex(word, FUTEX_WAIT_BITSET, expected, ends ? &until : nullptr) == 0) return true;
  if (errno == ETIMEDOUT) return false;
  if (errno == EAGAIN || errno == EINTR) return true;
  // A sandbox that refuses futex: the caller looks at the word again and again.
  ::sched_yield();
  return !ends || MonotonicNanos() < deadline_ns;
}

void FutexWakeAll(std::atomic<uint32_t>& word) noexcept {
  Futex(word, FUTEX_WAKE_BITSET, INT_MAX, nullptr);
}

bool HasFutex() noexcept {
  const std::atomic<uint32_t> word{0};
  return Futex(word, FUTEX_WAKE_BITSET, 1, nullptr) >= 0;
}

}  // namespace alloy::core
