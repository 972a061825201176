// SPDX-License-Identifier: MIT
//
// Times in the form of statements: 2026-09-01T00:00:00Z.
//
// src/trust/time_text.cc has the engine's copy. The command line includes include/alloy only.
#ifndef ARROWALLOY_BASE_TIME_TEXT_H_
#define ARROWALLOY_BASE_TIME_TEXT_H_

#include <chrono>
#include <string>

namespace arrowalloy {

std::string TimeText(std::chrono::sys_seconds time);

// Parse a date (the start of that day) or a date and time, both in UTC.
//   Throws  E0203, which names the option.
std::chrono::sys_seconds ParseTime(const std::string& option, const std::string& text);

std::chrono::sys_seconds Now();

// Commands warn when a certificate ends within this time.
inline constexpr std::chrono::days kWarnBefore(30);

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_TIME_TEXT_H_
