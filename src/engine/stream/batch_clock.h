// SPDX-License-Identifier: MIT
//
// The deadline of each batch of a stream. It counts the time that the host waits, without
// the time inside the host's own inputs.
#ifndef ALLOY_SRC_ENGINE_STREAM_BATCH_CLOCK_H_
#define ALLOY_SRC_ENGINE_STREAM_BATCH_CLOCK_H_

#include <cstdint>
#include <mutex>
#include <optional>

#include "engine/channel/deadlines.h"

namespace alloy::core {

// Threads  shared: a backend may pull from two inputs on two threads of its own.
class BatchClock {
 public:
  using Clock = Deadlines::Clock;

  // timeout_ns 0: there is no deadline, and the clock never takes its lock. Else the run is
  // stopped through channel and control (see Deadlines) once its time is over.
  BatchClock(Deadlines& deadlines, Channel* channel, RunControl* control,
             int64_t timeout_ns)
      : deadlines_(deadlines),
        channel_(channel),
        control_(control),
        timeout_(timeout_ns) {}

  // The host begins to wait for a batch.
  void Start(uint64_t run);
  void Stop() noexcept;
  // Whether the time of the batch was over before Stop.
  bool late() const { return late_; }

  // While it lives, an input of the host runs, and no time counts.
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
  Channel* const channel_;
  RunControl* const control_;
  const std::chrono::nanoseconds timeout_;
  bool late_ = false;  // only the thread that waits uses it

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
