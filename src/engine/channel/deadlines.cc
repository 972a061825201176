// SPDX-License-Identifier: MIT
#include "engine/channel/deadlines.h"

#include "engine/channel/channel.h"

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
                        const Target& target)
    : deadlines_(deadlines) {
  const std::lock_guard lock(deadlines_.mutex_);
  if (!deadlines_.thread_.joinable()) {
    deadlines_.thread_ = std::thread([this_ = &deadlines_] { this_->Loop(); });
  }
  place_ = deadlines_.queue_.emplace(when, target);
  // Always, and not only for a new first entry: expired targets stay in the queue, so the
  // first entry need not be the next to come.
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
      // Under the lock, which a Watch needs to end: so the target is still there.
      const Target& target = next->second;
      if (target.control->expired.exchange(target.run, std::memory_order_relaxed) !=
          target.run) {
        target.channel->Interrupt(*target.control);
      }
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
