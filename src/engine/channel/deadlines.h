// SPDX-License-Identifier: MIT
//
// One thread that watches the clock for every run with a timeout, so that a backend finds
// out with one load whether its time is over. The thread starts with the first deadline.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_DEADLINES_H_
#define ALLOY_SRC_ENGINE_CHANNEL_DEADLINES_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

namespace alloy::core {

class Channel;
struct RunControl;

// Threads  shared.
class Deadlines {
 public:
  using Clock = std::chrono::steady_clock;

  Deadlines() = default;
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  // What has to stop when the time has come.
  struct Target {
    Channel* channel;
    RunControl* control;
    uint64_t run;
  };

 private:
  using Queue = std::multimap<Clock::time_point, Target>;

 public:
  // While it lives, and once the time has come: control->expired is `run`, and the channel
  // was interrupted. Borrows both.
  class Watch {
   public:
    Watch(Deadlines& deadlines, Clock::time_point when, const Target& target);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Deadlines& deadlines_;
    Queue::iterator place_;
  };

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_. A target whose time has come stays until its Watch ends.
  Queue queue_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;     // started under mutex_
};

// `time` after `when`; a sum beyond the clock's range means never.
inline Deadlines::Clock::time_point After(Deadlines::Clock::time_point when,
                                          std::chrono::nanoseconds time) {
  constexpr auto kNever = Deadlines::Clock::time_point::max();
  return time < kNever - when ? when + time : kNever;
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_DEADLINES_H_
