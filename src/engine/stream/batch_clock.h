// SPDX-License-Identifier: MIT
//
// The deadline of each batch of a stream: the time that the host waits, less the time
// that its own inputs take.
#ifndef ALLOY_SRC_ENGINE_STREAM_BATCH_CLOCK_H_
#define ALLOY_SRC_ENGINE_STREAM_BATCH_CLOCK_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "engine/call/deadlines.h"

namespace alloy::core {

// Threads  shared: a backend may pull from two inputs on two threads of its own.
class BatchClock {
 public:
  using Clock = Deadlines::Clock;

  // timeout_ns 0: there is no deadline, and nothing here costs anything. While the clock
  // runs, *expired becomes the number of the run once its time is over.
  BatchClock(Deadlines& deadlines, std::atomic<uint64_t>* expired, int64_t timeout_ns)
      : deadlines_(deadlines), expired_(expired), timeout_(timeout_ns) {}

  // The host waits for a batch.
  void Start(uint64_t run);
  void Stop() noexcept;
  // Whether the time of the batch was over before Stop.
  bool late() const { return late_; }

  // While one of these lives, an input of the host is at work.
  class Pause {
   public:
    explicit Pause(BatchClock& clock) : clock_(clock) { clock_.BeginPause(); }
    ~Pause() { clock_.EndPause(); }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    BatchClock& clock_;
  };

 private:
  void BeginPause();
  void EndPause() noexcept;
  void Arm();  // under mutex_

  Deadlines& deadlines_;
  std::atomic<uint64_t>* const expired_;
  const std::chrono::nanoseconds timeout_;
  bool late_ = false;  // of the thread that waits

  // All guarded by mutex_.
  std::mutex mutex_;
  bool running_ = false;
  int pauses_ = 0;
  uint64_t run_ = 0;
  Clock::time_point deadline_;
  Clock::time_point paused_at_;
  std::optional<Deadlines::Watch> watch_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_BATCH_CLOCK_H_
