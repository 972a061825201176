// SPDX-License-Identifier: MIT
//
// The deadline of each batch of a stream. It counts the time that the host waits, without
// the time inside the host's own inputs.
#ifndef ALLOY_SRC_ENGINE_STREAM_BATCH_CLOCK_H_
#define ALLOY_SRC_ENGINE_STREAM_BATCH_CLOCK_H_

#include <cstdint>

#include "engine/channel/deadlines.h"
#include "port/fork_guarded.h"

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
        timeout_(timeout_ns),
        batch_(deadlines.mark()) {}

  // The host begins to wait for a batch.
  //   Fails  EXHAUSTED: nothing can watch the deadline. Stop must be called all the same.
  Status Start(uint64_t run);
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
  // The batch that the host waits for.
  struct Batch {
    Batch() noexcept = default;

    bool running = false;
    int pauses = 0;
    uint64_t run = 0;
    Clock::time_point deadline;
    Clock::time_point paused_at;
    Deadlines::Watch watch;
    uint32_t process = 0;  // to which the pauses and the watch belong
  };
  // After a fork: drop what belongs to threads that are not in this process.
  void Renew(Batch& batch);
  Status Arm(Batch& batch);

  Deadlines& deadlines_;
  Channel* const channel_;
  RunControl* const control_;
  const std::chrono::nanoseconds timeout_;
  bool late_ = false;  // only the thread that waits uses it

  ForkGuarded<Batch> batch_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_BATCH_CLOCK_H_
