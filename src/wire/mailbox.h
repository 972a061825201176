// SPDX-License-Identifier: MIT
//
// One direction of the two between host and worker, in memory that they share.
//
// A mailbox is a futex word that counts messages and tells whether the receiver sleeps.
// Both are in one word, so that no wake-up is lost. The other process may write anything
// into it: the worst outcome is a wake-up too many or a wait until the deadline.
#ifndef ALLOY_SRC_WIRE_MAILBOX_H_
#define ALLOY_SRC_WIRE_MAILBOX_H_

#include <atomic>
#include <cstdint>

namespace alloy::core {

struct Mailbox {
  static constexpr uint32_t kSleeps = 1;  // the receiver is, or is about to be, asleep
  static constexpr uint32_t kClosed = 2;  // no message will follow
  static constexpr uint32_t kNudged = 4;  // look at what else has changed
  static constexpr uint32_t kStep = 8;    // the rest counts the messages, modulo 2^29

  // Processors fetch lines of 64 bytes in pairs.
  alignas(128) std::atomic<uint32_t> word{0};
  std::atomic<uint32_t> length{0};  // of the message, in bytes

  // The message of `size` bytes is written.
  void Post(uint32_t size) noexcept;
  // No message will follow. Any thread.
  void Close() noexcept { Raise(kClosed); }
  // End a wait without a message. Any thread, and any signal handler.
  void Nudge() noexcept { Raise(kNudged); }

 private:
  void Raise(uint32_t bit) noexcept;
};
static_assert(std::atomic<uint32_t>::is_always_lock_free);

// How long a receiver spins before it sleeps. To wake a sleeping core costs about a hundred
// times as much as to be seen by a spinning one, but a spinning core does nothing else.
enum class Waiting : uint8_t {
  kAdaptive,  // as long as recent waits were short, if there is a second core
  kSpins,     // for benchmarks
  kSleeps,
};

// Threads  serial.
class Receiver {
 public:
  enum class Event : uint8_t { kMessage, kNudge, kClosed, kTimeout };

  // Borrows mailbox, as long as this lives. It asks how many processors there are, which
  // needs memory.
  explicit Receiver(Mailbox& mailbox, Waiting waiting = Waiting::kAdaptive);

  // Wait for the next message. A message that was posted before Close is still received.
  //   deadline_ns  of CLOCK_MONOTONIC; -1: none.
  Event Wait(int64_t deadline_ns) noexcept {
    Event event = Event::kTimeout;
    return Spin(&event) ? event : Sleep(deadline_ns);
  }
  // The two parts of Wait, for who needs no deadline while it spins. Returns whether
  // there was an event.
  bool Spin(Event* event) noexcept;
  Event Sleep(int64_t deadline_ns) noexcept;

 private:
  bool See(Event* event) noexcept;

  Mailbox& mailbox_;
  uint32_t seen_ = 0;  // the count of the last message
  const Waiting waiting_;
  const int64_t most_spin_ns_;
  int64_t spin_ns_;          // before the next sleep
  int64_t next_try_ns_ = 0;  // when a long spin is tried again
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WIRE_MAILBOX_H_
