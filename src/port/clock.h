// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_PORT_CLOCK_H_
#define ALLOY_SRC_PORT_CLOCK_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "port/process_mark.h"

namespace alloy::core {

// The wall clock in the local time zone.
//
// glibc converts a time under a lock that it does not reset in a child of fork. So a thread
// asks for the offset of the zone at most once in a quarter of an hour, and a child whose
// parent was just asking does not ask: it keeps the offset that was known.
//
// Threads  shared.
class LocalClock {
 public:
  // Borrows mark, as long as this lives.
  explicit LocalClock(ProcessMark& mark) : mark_(mark) {}

  // As 2022-10-17 18:09:34.
  std::string Text();

 private:
  int64_t OffsetAt(int64_t now);

  // Offsets change at quarters of an hour, in every time zone.
  struct Known {
    int32_t quarter = 0;  // since 1970; 0: nothing is known
    int32_t offset = 0;   // in seconds
  };

  ProcessMark& mark_;
  std::atomic<Known> known_{Known()};
  std::atomic<uint32_t> asking_{0};  // the process of the thread that asks; 0: none
};

// Seconds since 1970-01-01T00:00:00Z.
int64_t UnixSeconds();

constexpr int64_t kNanosPerSecond = 1'000'000'000;

// A clock that nobody sets: for deadlines and durations. All processes see the same time.
int64_t MonotonicNanos();

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_CLOCK_H_
