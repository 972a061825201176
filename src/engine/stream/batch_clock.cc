// SPDX-License-Identifier: MIT
#include "engine/stream/batch_clock.h"

namespace alloy::core {

void BatchClock::Start(uint64_t run) {
  if (timeout_.count() == 0) return;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  running_ = true;
  run_ = run;
  deadline_ = After(now, timeout_);
  // A thread of the backend may already be inside an input.
  paused_at_ = now;
  if (pauses_ == 0) Arm();
}

void BatchClock::Stop() noexcept {
  if (timeout_.count() == 0) return;
  const std::lock_guard lock(mutex_);
  running_ = false;
  watch_.reset();
  late_ = pauses_ == 0 && Clock::now() >= deadline_;
}

void BatchClock::BeginPause() {
  if (timeout_.count() == 0) return;
  const std::lock_guard lock(mutex_);
  if (++pauses_ > 1) return;
  paused_at_ = Clock::now();
  watch_.reset();
}

void BatchClock::EndPause() noexcept {
  if (timeout_.count() == 0) return;
  const std::lock_guard lock(mutex_);
  if (--pauses_ > 0 || !running_) return;
  deadline_ = After(deadline_, Clock::now() - paused_at_);
  try {
    Arm();
  } catch (...) {
    // Without memory for the watch, the backend is not told to stop. Stop still finds out
    // that it was late.
  }
}

void BatchClock::Arm() {
  watch_.emplace(deadlines_, deadline_, Deadlines::Target{channel_, control_, run_});
}

}  // namespace alloy::core
