// SPDX-License-Identifier: MIT
//
// One thread that watches the clock for every call with a timeout, so that asking a scope
// whether its time is over costs a load. It starts with the first deadline.
#ifndef ALLOY_SRC_ENGINE_CALL_DEADLINES_H_
#define ALLOY_SRC_ENGINE_CALL_DEADLINES_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

namespace alloy::core {

// Threads  shared.
class Deadlines {
 public:
  using Clock = std::chrono::steady_clock;

  Deadlines() = default;
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

 private:
  struct Target {
    std::atomic<uint64_t>* expired;
    uint64_t run;
  };
  using Queue = std::multimap<Clock::time_point, Target>;

 public:
  // From construction to destruction, *expired becomes `run` once the time has come.
  class Watch {
   public:
    Watch(Deadlines& deadlines, Clock::time_point when, std::atomic<uint64_t>* expired,
          uint64_t run);
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
  Queue queue_;  // guarded by mutex_; those that have come stay until their Watch ends
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;     // started under mutex_
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CALL_DEADLINES_H_
