// SPDX-License-Identifier: MIT
//
// A value under a lock that a fork cannot leave locked.
//
// A mutex that another thread holds at a fork stays locked in the child for ever. This
// lock knows the process of its holder. If that is another process, the holder does not
// exist here, and the lock is taken over:
//
//   it was reading   the value is intact
//   it was writing   the value may be half written: the child gets a new one, T(). The
//                    old one is not destroyed, because its destructor could not be trusted
//
// Use it for small pieces of work: nobody may hold it while foreign code runs.
//
// Threads  shared.
#ifndef ALLOY_SRC_PORT_FORK_GUARDED_H_
#define ALLOY_SRC_PORT_FORK_GUARDED_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

#include "port/process_mark.h"

namespace alloy::core {

class ForkLock {
 public:
  // Borrows mark, as long as the lock lives.
  explicit ForkLock(ProcessMark& mark) : mark_(mark) {}
  ForkLock(const ForkLock&) = delete;
  ForkLock& operator=(const ForkLock&) = delete;

  // Returns whether the value is intact.
  bool Lock(bool writes) {
    const uint32_t mine = mark_.Number() << kBits | (writes ? kWrites : 0);
    uint32_t seen = kFree;
    if (word_.compare_exchange_strong(seen, mine, std::memory_order_acquire)) [[likely]]
      return true;
    return LockSlowly(mine, seen);
  }

  void Unlock() {
    if ((word_.exchange(kFree, std::memory_order_release) & kWaiters) != 0) {
      word_.notify_one();
    }
  }

  // The holder, which began as a reader, will now write.
  void BeginToWrite() { word_.fetch_or(kWrites, std::memory_order_relaxed); }

  ProcessMark& mark() const { return mark_; }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kWaiters = 1;
  static constexpr uint32_t kWrites = 2;
  static constexpr int kBits = 2;  // the number of the process is above them

  // A thread that has waited takes the lock as one with waiters: there may be more.
  bool LockSlowly(uint32_t mine, uint32_t seen) {
    for (;;) {
      const bool is_free = seen == kFree;
      if (is_free || seen >> kBits != mine >> kBits) {
        if (!word_.compare_exchange_weak(seen, mine | kWaiters,
                                         std::memory_order_acquire)) {
          continue;
        }
        return is_free || (seen & kWrites) == 0;
      }
      if ((seen & kWaiters) == 0 &&
          !word_.compare_exchange_weak(seen, seen | kWaiters,
                                       std::memory_order_relaxed)) {
        continue;
      }
      word_.wait(seen | kWaiters, std::memory_order_relaxed);
      seen = word_.load(std::memory_order_relaxed);
    }
  }

  ProcessMark& mark_;
  std::atomic<uint32_t> word_{kFree};
};

template <typename T>
class ForkGuarded {
 public:
  explicit ForkGuarded(ProcessMark& mark) : lock_(mark) {
    static_assert(std::is_nothrow_default_constructible_v<T>);
  }
  ~ForkGuarded() {
    // A value that a thread of the parent was writing is not destroyed.
    if (lock_.Lock(true)) std::destroy_at(&value_);
  }
  ForkGuarded(const ForkGuarded&) = delete;
  ForkGuarded& operator=(const ForkGuarded&) = delete;

  // Holds the lock as long as it lives.
  template <typename Value>
  class [[nodiscard]] Access {
   public:
    Access(ForkGuarded& guarded, bool writes) : guarded_(guarded) {
      lost_ = !guarded.lock_.Lock(writes);
      if (lost_) ::new (&guarded.value_) T();
    }
    ~Access() { guarded_.lock_.Unlock(); }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    // The value was half written and is new: this is the first access after the fork.
    bool lost() const { return lost_; }
    // From a Read: what follows writes. So the long part of a look-up can be a read.
    T& BeginToWrite() {
      guarded_.lock_.BeginToWrite();
      return guarded_.value_;
    }
    Value* operator->() const { return &guarded_.value_; }
    Value& operator*() const { return guarded_.value_; }

   private:
    ForkGuarded& guarded_;
    bool lost_;
  };

  Access<const T> Read() { return {*this, false}; }
  Access<T> Write() { return {*this, true}; }

  ProcessMark& mark() const { return lock_.mark(); }

 private:
  ForkLock lock_;
  union {
    T value_{};
  };
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_FORK_GUARDED_H_
