// SPDX-License-Identifier: MIT
//
// One thread that watches the clock for every run with a timeout, so that a backend finds
// out with one load whether its time is over. The thread starts with the first deadline.
//
// A child of fork has no such thread: its first deadline starts a new one, with a queue of
// its own. What belonged to the thread of the parent is dropped without being used.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_DEADLINES_H_
#define ALLOY_SRC_ENGINE_CHANNEL_DEADLINES_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>

#include "base/status.h"
#include "port/process_mark.h"

namespace alloy::core {

class Channel;
struct RunControl;

// Threads  shared.
class Deadlines {
 public:
  using Clock = std::chrono::steady_clock;

  // Borrows mark, as long as this lives.
  explicit Deadlines(ProcessMark& mark) : mark_(mark) {}
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  ProcessMark& mark() const { return mark_; }

  // What has to stop when the time has come.
  struct Target {
    Channel* channel;
    RunControl* control;
    uint64_t run;
  };

 private:
  using Queue = std::multimap<Clock::time_point, Target>;
  struct Timer;

 public:
  // From Start to Stop or its end, and once the time has come: control->expired is `run`,
  // and the channel was interrupted. Borrows both.
  //
  // Threads  serial.
  class Watch {
   public:
    Watch() = default;
    ~Watch() { Stop(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // Only if it is stopped.
    //   Fails  EXHAUSTED: the thread cannot be started, or memory is not enough.
    Status Start(Deadlines& deadlines, Clock::time_point when, const Target& target);
    void Stop() noexcept;

   private:
    Deadlines* deadlines_ = nullptr;  // NULL: stopped
    Timer* timer_ = nullptr;
    uint32_t process_ = 0;  // where it was started; in a child of that it does nothing
    Queue::iterator place_;
  };

 private:
  // The timer of this process.
  Timer& OfThisProcess();

  ProcessMark& mark_;
  std::atomic<Timer*> timer_{nullptr};
};

// `time` after `when`; a sum beyond the clock's range means never.
inline Deadlines::Clock::time_point After(Deadlines::Clock::time_point when,
                                          std::chrono::nanoseconds time) {
  constexpr auto kNever = Deadlines::Clock::time_point::max();
  return time < kNever - when ? when + time : kNever;
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_DEADLINES_H_
