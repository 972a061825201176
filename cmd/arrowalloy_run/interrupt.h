// SPDX-License-Identifier: MIT
//
// Ctrl-C as an orderly end: the call is cancelled first; what does not end by itself in
// a while, or is interrupted again, is left without a half file.
//
// Threads  made before any other thread of the program.
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
  Interrupt();  // SIGINT and SIGTERM come here from now on
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  bool came() const { return stop_.stop_requested(); }

  // What to undo when the process is left at once; from the thread of the signals.
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
