// SPDX-License-Identifier: MIT
//
// Ctrl-C ends the program in order. The first signal cancels the call. After a grace period
// of 3 seconds, or at the second signal, the process exits. No half-written file stays.
//
// Threads  construct it before any other thread starts.
#ifndef ARROWALLOY_RUN_INTERRUPT_H_
#define ARROWALLOY_RUN_INTERRUPT_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace arrowalloy::run {

class Interrupt {
 public:
  Interrupt();  // handles SIGINT and SIGTERM from now on
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  bool came() const { return stop_.stop_requested(); }

  // What to undo before the process exits at once. Called on the signal thread.
  void OnAbandon(std::function<void()> abandon);

 private:
  void Loop();

  std::stop_source stop_;
  std::mutex mutex_;
  std::function<void()> abandon_;  // guarded by mutex_
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INTERRUPT_H_
