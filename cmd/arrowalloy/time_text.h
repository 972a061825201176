// SPDX-License-Identifier: MIT
//
// Times as statements carry them: 2026-09-01T00:00:00Z.
#ifndef ARROWALLOY_TIME_TEXT_H_
#define ARROWALLOY_TIME_TEXT_H_

#include <chrono>
#include <string>

namespace arrowalloy {

std::string TimeText(std::chrono::sys_seconds time);

// A date (the start of that day) or a whole time, in UTC.
//   Throws  E0203 with the name of the option.
std::chrono::sys_seconds ParseTime(const std::string& option, const std::string& text);

std::chrono::sys_seconds Now();

}  // namespace arrowalloy

#endif  // ARROWALLOY_TIME_TEXT_H_
