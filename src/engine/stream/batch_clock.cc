// SPDX-License-Identifier: MIT
#include "engine/stream/batch_clock.h"

namespace alloy::core {
namespace {

// A sum beyond the clock's range is no deadline.
Deadlines::Clock::time_point After(Deadlines::Clock::time_point when,
                                   std::chrono::nanoseconds time) {
  constexpr auto kNever = Deadlines::Clock::time_point::max();
  return time < kNever - when ? when + time : kNever;
}

}  // namespace

void BatchClock::Start(uint64_t run) {
  if (timeout_.count() == 0) return;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  running_ = true;
  run_ = run;
  deadline_ = After(now, timeout_);
  // A thread of the backend may be inside an input already.
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
    // Nobody tells the backend then; that it was late is found all the same.
  }
}

void BatchClock::Arm() { watch_.emplace(deadlines_, deadline_, expired_, run_); }

}  // namespace alloy::core
