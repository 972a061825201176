// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_PORT_CLOCK_H_
#define ALLOY_SRC_PORT_CLOCK_H_

#include <cstdint>
#include <string>

namespace alloy::core {

// The wall clock in the local time zone, as 2022-10-17 18:09:34.
std::string LocalTimeText();

// Seconds since 1970-01-01T00:00:00Z.
int64_t UnixSeconds();

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_CLOCK_H_
