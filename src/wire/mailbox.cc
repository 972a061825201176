// SPDX-License-Identifier: MIT
#include "wire/mailbox.h"

#include <algorithm>

#include "port/clock.h"
#include "port/cpu.h"
#include "port/futex.h"

namespace alloy::core {
namespace {

constexpr uint32_t kCount = ~(Mailbox::kStep - 1);

// What it costs to wake a core, and some more: a receiver that spins less never sees the
// answer of a sender that slept.
constexpr int64_t kLongSpinNs = 50'000;
// Shorter spins are none.
constexpr int64_t kShortestSpinNs = 500;
// Looks between two looks at the clock.
constexpr int kBurst = 64;
// A receiver that sleeps tries a long spin again after this time, so that spins for nothing
// cost 2 % at most: both sides may have one core only, and hold each other up.
constexpr int64_t kTryEveryNs = 3'000'000;

int64_t MostSpinNs(Waiting waiting) {
  switch (waiting) {
    case Waiting::kSleeps:
      return 0;
    case Waiting::kSpins:
      return int64_t{1} << 60;
    case Waiting::kAdaptive:
      break;
  }
  return UsableCpus() > 1 ? kLongSpinNs : 0;
}

}  // namespace

void Mailbox::Post(uint32_t size) noexcept {
  length.store(size, std::memory_order_relaxed);
  const uint32_t before = word.fetch_add(kStep, std::memory_order_acq_rel);
  if ((before & kSleeps) != 0) FutexWakeAll(word);
}

void Mailbox::Raise(uint32_t bit) noexcept {
  const uint32_t before = word.fetch_or(bit, std::memory_order_acq_rel);
  if ((before & kSleeps) != 0) FutexWakeAll(word);
}

Receiver::Receiver(Mailbox& mailbox, Waiting waiting)
    : mailbox_(mailbox),
      waiting_(waiting),
      most_spin_ns_(MostSpinNs(waiting)),
      spin_ns_(most_spin_ns_) {}

bool Receiver::See(Event* event) noexcept {
  const uint32_t word = mailbox_.word.load(std::memory_order_acquire);
  if ((word & kCount) != seen_) {
    seen_ = word & kCount;
    *event = Event::kMessage;
    return true;
  }
  if ((word & Mailbox::kClosed) != 0) {
    *event = Event::kClosed;
    return true;
  }
  if ((word & Mailbox::kNudged) != 0) {
    mailbox_.word.fetch_and(~Mailbox::kNudged, std::memory_order_acq_rel);
    *event = Event::kNudge;
    return true;
  }
  return false;
}

bool Receiver::Spin(Event* event) noexcept {
  if (See(event)) return true;  // which says nothing about the next message
  int64_t end = 0;
  for (bool in_time = spin_ns_ > 0; in_time;) {
    for (int i = 0; i < kBurst; ++i) {
      CpuRelax();
      if (!See(event)) continue;
      if (waiting_ == Waiting::kAdaptive) spin_ns_ = most_spin_ns_;
      return true;
    }
    const int64_t now = MonotonicNanos();
    if (end == 0) end = now + spin_ns_;
    in_time = now < end;
  }
  // The message took longer than a spin. So the next spins are shorter, until a long one is
  // tried again.
  if (waiting_ == Waiting::kAdaptive && most_spin_ns_ > 0) {
    spin_ns_ = spin_ns_ / 4 < kShortestSpinNs ? 0 : spin_ns_ / 4;
    if (const int64_t now = MonotonicNanos(); now >= next_try_ns_) {
      spin_ns_ = most_spin_ns_;
      next_try_ns_ = now + kTryEveryNs;
    }
  }
  return false;
}

Receiver::Event Receiver::Sleep(int64_t deadline_ns) noexcept {
  Event event = Event::kTimeout;
  for (;;) {
    const uint32_t word =
        mailbox_.word.fetch_or(Mailbox::kSleeps, std::memory_order_acq_rel) |
        Mailbox::kSleeps;
    bool in_time = true;
    if (!See(&event)) {
      in_time = FutexWait(mailbox_.word, word, deadline_ns);
      if (!See(&event) && in_time) continue;
    }
    mailbox_.word.fetch_and(~Mailbox::kSleeps, std::memory_order_acq_rel);
    return event;
  }
}

}  // namespace alloy::core
