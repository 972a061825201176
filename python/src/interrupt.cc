// SPDX-License-Identifier: MIT
#include "interrupt.h"

#include <atomic>

#include "threads.h"

namespace alloy::python {
namespace {

// Only the main thread reads and writes these.
std::atomic<InterruptGuard*> innermost{nullptr};
// The handler that was there the last time, for a signal that comes in the moment in which
// ours stands already, but the one before is not yet known.
struct sigaction last_old;

// Whether a handler stands there, which Python can turn into KeyboardInterrupt. With the
// default action the process ends, and with SIG_IGN nothing happens: neither is changed.
bool IsHandler(const struct sigaction& action) {
  if ((action.sa_flags & SA_SIGINFO) != 0) return action.sa_sigaction != nullptr;
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

}  // namespace

// Async-signal-safe: it loads pointers, cancels, and calls the handler that was there.
void InterruptGuard::OnSignal(int number, siginfo_t* info, void* context) {
  // Guards live on the stack of the main thread, so only it may follow them.
  if (!IsMainThread()) return SendToMainThread(number);
  InterruptGuard* guard = innermost.load(std::memory_order_acquire);
  const struct sigaction* known = &last_old;
  for (; guard != nullptr; guard = guard->outer_) {
    alloy_call_cancel(guard->call_, guard->ticket_);
    if (guard->installed_) known = &guard->old_;
  }
  const struct sigaction& old = *known;
  if (!IsHandler(old)) return;
  if ((old.sa_flags & SA_SIGINFO) != 0) {
    old.sa_sigaction(number, info, context);
  } else {
    old.sa_handler(number);
  }
}

void InitInterrupts() { sigaction(SIGINT, nullptr, &last_old); }

InterruptGuard::InterruptGuard(alloy_call* call, uint64_t ticket)
    : call_(call), ticket_(ticket) {
  if (!IsMainThread()) return;
  outer_ = innermost.load(std::memory_order_relaxed);
  if (outer_ == nullptr) {
    struct sigaction action;
    // The flags of Python's handler, which sets none but SA_ONSTACK.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    action.sa_sigaction = &OnSignal;
    sigemptyset(&action.sa_mask);
    // A signal between the two lines must find the guard.
    innermost.store(this, std::memory_order_release);
    if (sigaction(SIGINT, &action, &old_) != 0) return;
    if (!IsHandler(old_)) {
      sigaction(SIGINT, &old_, nullptr);
      return;
    }
    last_old = old_;
    installed_ = true;
    return;
  }
  innermost.store(this, std::memory_order_release);
}

InterruptGuard::~InterruptGuard() {
  if (innermost.load(std::memory_order_relaxed) != this) return;
  if (installed_) {
    struct sigaction now;
    // Somebody who replaced our handler meanwhile keeps theirs.
    if (sigaction(SIGINT, &old_, &now) == 0 &&
        ((now.sa_flags & SA_SIGINFO) == 0 || now.sa_sigaction != &OnSignal)) {
      sigaction(SIGINT, &now, nullptr);
    }
  }
  innermost.store(outer_, std::memory_order_release);
}

}  // namespace alloy::python
