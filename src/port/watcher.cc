// SPDX-License-Identifier: MIT
#include "port/watcher.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "port/clock.h"
#include "port/os_failure.h"

namespace alloy::core {
namespace {

// Rounded up, so that a wait does not end before its time. -1: for ever.
int MillisUntil(int64_t deadline_ns) {
  if (deadline_ns < 0) return -1;
  constexpr int64_t kNanosPerMilli = 1'000'000;
  const int64_t left = std::max<int64_t>(deadline_ns - MonotonicNanos(), 0);
  return static_cast<int>(
      std::min<int64_t>(left / kNanosPerMilli + (left % kNanosPerMilli != 0), 1 << 30));
}

}  // namespace

Result<Watcher> Watcher::Make() {
  Watcher made;
  made.set_ = AboveStandard(::epoll_create1(EPOLL_CLOEXEC));
  if (!made.set_) return OsFailure("cannot watch processes", errno);
  made.wake_ = AboveStandard(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!made.wake_) return OsFailure("cannot watch processes", errno);
  ALLOY_TRY(made.Add(made.wake_, kWoken));
  return made;
}

Status Watcher::Add(const Fd& fd, uint64_t tag) {
  struct epoll_event event{.events = EPOLLIN | EPOLLRDHUP, .data = {.u64 = tag}};
  if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0) return {};
  return OsFailure("cannot watch a descriptor", errno);
}

void Watcher::Remove(const Fd& fd) {
  ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
}

void Watcher::Wake() const {
  const uint64_t one = 1;
  // It fails only where the count is full; then the wait returns anyway.
  [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &one, sizeof(one));
}

std::span<const uint64_t> Watcher::Wait(std::span<uint64_t> tags, int64_t deadline_ns) {
  std::array<struct epoll_event, 64> events;
  // One more than the tags, for the wake-up.
  const auto room = static_cast<int>(std::min(tags.size() + 1, events.size()));
  int ready = 0;
  do {
    ready = ::epoll_wait(set_.get(), events.data(), room, MillisUntil(deadline_ns));
  } while (ready < 0 && errno == EINTR);
  size_t count = 0;
  for (const auto& event :
       std::span(events).first(static_cast<size_t>(std::max(ready, 0)))) {
    if (event.data.u64 != kWoken) {
      // What has no room is still ready, and comes with the next wait.
      if (count < tags.size()) tags[count++] = event.data.u64;
      continue;
    }
    uint64_t wakes = 0;
    [[maybe_unused]] const ssize_t n = ::read(wake_.get(), &wakes, sizeof(wakes));
  }
  return tags.first(count);
}

}  // namespace alloy::core
