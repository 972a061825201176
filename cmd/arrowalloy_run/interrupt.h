// SPDX-License-Identifier: MIT
//
// Ctrl-C ends a run in order. The first HUP, INT or TERM cancels the call. After a grace
// period of 3 seconds, or at the second signal, the process exits. No half-written file
// stays. Signals stay unblocked: see ../arrowalloy/base/signals.h.
#ifndef ARROWALLOY_RUN_INTERRUPT_H_
#define ARROWALLOY_RUN_INTERRUPT_H_

#include <atomic>
#include <stop_token>
#include <thread>

#include "../arrowalloy/base/exit_code.h"

namespace arrowalloy::run {

class Interrupt {
 public:
  // If the machine has no descriptor or thread for it, the first signal exits at once.
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  bool came() const { return stop_.stop_requested(); }
  // The exit code of the signal that came.
  Exit exit() const { return exit_; }

 private:
  void Loop();

  std::stop_source stop_;
  std::atomic<Exit> exit_{Exit::kInterrupted};
  int reads_ = -1, writes_ = -1;  // a pipe: the handler writes the number of the signal
  std::thread thread_;
};

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INTERRUPT_H_
