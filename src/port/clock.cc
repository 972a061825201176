// SPDX-License-Identifier: MIT
#include "port/clock.h"

#include <time.h>

#include <chrono>
#include <cstdio>
#include <thread>

namespace alloy::core {

int64_t LocalClock::OffsetAt(int64_t now) {
  constexpr int64_t kQuarter = int64_t{15} * 60;
  const auto quarter = static_cast<int32_t>(now / kQuarter);
  const uint32_t process = mark_.Number();
  for (;;) {
    const Known known = known_.load(std::memory_order_acquire);
    if (known.quarter == quarter) return known.offset;
    uint32_t asking = 0;
    if (asking_.compare_exchange_strong(asking, process, std::memory_order_acq_rel)) {
      break;
    }
    // Another thread asks, of this process or of its parent. Only the first answer is
    // worth waiting for.
    if (known.quarter != 0 || asking != process) return known.offset;
    std::this_thread::yield();
  }
  const time_t seconds = now;
  struct tm parts{};
  ::localtime_r(&seconds, &parts);
  const auto offset = static_cast<int32_t>(parts.tm_gmtoff);
  known_.store({quarter, offset}, std::memory_order_release);
  asking_.store(0, std::memory_order_release);
  return offset;
}

// Without gmtime_r, which takes the same lock as localtime_r.
std::string LocalClock::Text() {
  using std::chrono::seconds;
  const int64_t now = ::time(nullptr);
  const std::chrono::sys_seconds local{seconds(now + OffsetAt(now))};
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(local - day);
  char text[64];
  const int length = std::snprintf(
      text, sizeof(text), "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()));
  return std::string(text, static_cast<size_t>(length));
}

int64_t UnixSeconds() { return ::time(nullptr); }

int64_t MonotonicNanos() {
  struct timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * kNanosPerSecond + now.tv_nsec;
}

}  // namespace alloy::core
