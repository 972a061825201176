// SPDX-License-Identifier: MIT
//
// Ctrl-C during a call: while a guard lives on the main thread, SIGINT also cancels the
// call. Python's own handler runs too, and raises KeyboardInterrupt afterwards.
#ifndef ALLOY_PYTHON_SRC_INTERRUPT_H_
#define ALLOY_PYTHON_SRC_INTERRUPT_H_

#include <csignal>
#include <cstdint>

#include "alloy/alloy.h"

namespace alloy::python {

// Once for a process, when the module is first made.
void InitInterrupts();

// Costs two system calls on the main thread, and nothing on others. Guards nest.
class InterruptGuard {
 public:
  // Borrows call, for the life of the guard.
  InterruptGuard(alloy_call* call, uint64_t ticket);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  static void OnSignal(int number, siginfo_t* info, void* context);

  alloy_call* const call_;
  const uint64_t ticket_;
  bool installed_ = false;
  InterruptGuard* outer_ = nullptr;
  struct sigaction old_;  // uninitialised unless installed: it is large
};

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_INTERRUPT_H_
