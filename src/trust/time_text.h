// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_TRUST_TIME_TEXT_H_
#define ALLOY_SRC_TRUST_TIME_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alloy::core {

// Seconds since 1970 of a time as 2026-09-01T00:00:00Z, and of no other spelling. The day
// must be one of the calendar.
std::optional<int64_t> ParseTime(std::string_view text);

// The same text, of years 0 to 9999.
std::string TimeText(int64_t seconds);

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_TIME_TEXT_H_
