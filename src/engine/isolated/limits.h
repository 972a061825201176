// SPDX-License-Identifier: MIT
//
// The limits of the workers of one bridge.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_LIMITS_H_
#define ALLOY_SRC_ENGINE_ISOLATED_LIMITS_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "wire/mailbox.h"

namespace alloy::core {

// A value.
struct WorkerLimits {
  uint32_t max_workers = 16;
  int64_t input_bytes = int64_t{1} << 30;   // shared memory for inputs, of all workers
  int64_t output_bytes = int64_t{1} << 30;  // and for results
  int64_t heap_bytes = int64_t{1} << 31;    // of one worker
  int64_t grace_ns = 500'000'000;           // between a stop and the end of the worker
  int64_t setup_ns = 60'000'000'000;        // to load, to bind, and to open a stream
  uint32_t retries = 0;                     // of functions that are IDEMPOTENT
  bool copies_results = false;              // nothing of a result is in shared memory
  uint64_t demanded = 0;                    // restrictions, of port/restrict.h
  std::string program;                      // an absolute path; empty: find it
  Waiting waiting = Waiting::kAdaptive;
};

// Bytes of shared memory that may still be made.
//
// Threads  shared.
class Budget {
 public:
  explicit Budget(int64_t limit) : limit_(limit) {}

  bool Take(int64_t bytes) {
    int64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit_ - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void Give(int64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  int64_t limit() const { return limit_; }
  int64_t left() const { return limit_ - used_.load(std::memory_order_relaxed); }

 private:
  const int64_t limit_;
  std::atomic<int64_t> used_{0};
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_LIMITS_H_
