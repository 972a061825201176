// SPDX-License-Identifier: MIT
#include "engine/call/deadlines.h"

namespace alloy::core {

Deadlines::~Deadlines() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Deadlines::Watch::Watch(Deadlines& deadlines, Clock::time_point when,
                        std::atomic<uint64_t>* expired, uint64_t run)
    : deadlines_(deadlines) {
  const std::lock_guard lock(deadlines_.mutex_);
  if (!deadlines_.thread_.joinable()) {
    deadlines_.thread_ = std::thread([this_ = &deadlines_] { this_->Loop(); });
  }
  place_ = deadlines_.queue_.emplace(when, Target{expired, run});
  // Always: what has come stays in the queue, so the first is not the next.
  deadlines_.changed_.notify_one();
}

Deadlines::Watch::~Watch() {
  const std::lock_guard lock(deadlines_.mutex_);
  deadlines_.queue_.erase(place_);
}

void Deadlines::Loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto now = Clock::now();
    auto next = queue_.begin();
    for (; next != queue_.end() && next->first <= now; ++next) {
      // Under the lock: the Watch, and with it the target, is still there.
      next->second.expired->store(next->second.run, std::memory_order_relaxed);
    }
    if (next == queue_.end()) {
      changed_.wait(lock);
    } else {
      const auto when = next->first;  // a copy: the Watch may end during the wait
      changed_.wait_until(lock, when);
    }
  }
}

}  // namespace alloy::core
