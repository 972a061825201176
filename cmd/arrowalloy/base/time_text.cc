// SPDX-License-Identifier: MIT
#include "time_text.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "failure.h"

namespace arrowalloy {

std::string TimeText(std::chrono::sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::chrono::sys_seconds ParseTime(const std::string& option, const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  // The result is written again and compared, so a text that sscanf misreads is refused.
  // NOLINTNEXTLINE(cert-err34-c)
  std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2dZ", &year, &month, &day, &hour,
              &minute, &second);
  const std::chrono::year_month_day date{
      std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if (date.ok()) {
    const auto time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                      std::chrono::minutes(minute) + std::chrono::seconds(second);
    const std::string again = TimeText(time);
    if (text == again || text + "T00:00:00Z" == again) return time;
  }
  throw Failure(Exit::kUsage, kStatementCode,
                fmt::format("{} {} is not a time", option, text), option,
                fmt::format("write {0} 2028-09-01 or {0} 2028-09-01T12:00:00Z", option));
}

std::chrono::sys_seconds Now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace arrowalloy
