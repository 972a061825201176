// SPDX-License-Identifier: MIT
//
// Sleeping on a word that several processes share, until another one changes it.
//
// A waker stores the new value first, and then calls FutexWakeAll. So no wake-up is lost:
// the kernel compares the word with `expected` after the waiter is in its queue.
//
// Threads  shared, of all processes that map the word.
#ifndef ALLOY_SRC_PORT_FUTEX_H_
#define ALLOY_SRC_PORT_FUTEX_H_

#include <atomic>
#include <cstdint>

namespace alloy::core {

constexpr int64_t kNoDeadline = -1;

// Sleep while the word is `expected`. `deadline_ns` is a time of MonotonicNanos
// (port/clock.h); a negative one never passes. Returns false only after the deadline. May
// return true for no reason, so look at the word again. The word may be mapped read-only.
bool FutexWait(const std::atomic<uint32_t>& word, uint32_t expected,
               int64_t deadline_ns) noexcept;

void FutexWakeAll(std::atomic<uint32_t>& word) noexcept;

// Whether the kernel, and the container, allow it; else waits poll. Sets errno if not.
bool HasFutex() noexcept;

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_FUTEX_H_
