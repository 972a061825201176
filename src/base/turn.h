// SPDX-License-Identifier: MIT
//
// One user at a time, without a lock: a second user is turned away and never waits.
#ifndef ALLOY_SRC_BASE_TURN_H_
#define ALLOY_SRC_BASE_TURN_H_

#include <atomic>
#include <utility>

namespace alloy::core {

// Sets *busy for as long as it lives. It is false if *busy was set already; it then
// changes nothing.
//
// Threads  of one flag: shared. Each Turn: one thread at a time.
class Turn {
 public:
  explicit Turn(std::atomic<bool>* busy)
      : busy_(busy->exchange(true, std::memory_order_acquire) ? nullptr : busy) {}
  Turn(Turn&& other) noexcept : busy_(std::exchange(other.busy_, nullptr)) {}
  Turn& operator=(Turn&& other) = delete;
  ~Turn() {
    if (busy_ != nullptr) busy_->store(false, std::memory_order_release);
  }

  explicit operator bool() const { return busy_ != nullptr; }

 private:
  std::atomic<bool>* busy_;  // NULL: another user has the turn, or this was moved from
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_TURN_H_
