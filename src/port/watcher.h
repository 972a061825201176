// SPDX-License-Identifier: MIT
//
// Waits for many descriptors at once: for the ends of children and for what they write.
//
// The set belongs to the process that made it. A forked child shares it, so it may only
// destroy its copy, which closes descriptors and leaves the set unchanged.
#ifndef ALLOY_SRC_PORT_WATCHER_H_
#define ALLOY_SRC_PORT_WATCHER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "port/fd.h"

namespace alloy::core {

// Threads  shared for Add, Remove and Wake; one thread at a time waits. Move-only.
class Watcher {
 public:
  //   Fails  EXHAUSTED, if descriptors or memory ran out.
  static Result<Watcher> Make();

  // Report `tag` from each Wait, as long as the descriptor is readable or its other side is
  // closed. kWoken is not a tag.
  //   Borrows  fd, until Remove. Remove it before it is closed: the set keeps what a forked
  //            child of the host still has open.
  //   Fails    EXHAUSTED, if memory or the user's limit on watches ran out.
  Status Add(const Fd& fd, uint64_t tag);
  // A wait that is going on may still report it.
  void Remove(const Fd& fd);

  // The next Wait returns at once, or the one that is going on. Async-signal-safe.
  void Wake() const;

  // Wait until something is ready or MonotonicNanos (port/clock.h) is `deadline_ns`; a
  // negative one never comes, and one that has passed only looks. Returns the tags at the
  // front of `tags`, of which there are none after the deadline or after Wake.
  std::span<const uint64_t> Wait(std::span<uint64_t> tags, int64_t deadline_ns);

 private:
  static constexpr uint64_t kWoken = ~uint64_t{0};

  Fd set_;
  Fd wake_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_WATCHER_H_
