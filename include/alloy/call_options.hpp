// SPDX-License-Identifier: MIT
//
// What a caller may set for one call: options of the function, a deadline, a way to stop.
//
// Threads  values.
#ifndef ALLOY_CALL_OPTIONS_HPP_
#define ALLOY_CALL_OPTIONS_HPP_

#include <chrono>
#include <map>
#include <stop_token>
#include <string>

namespace alloy {

// The values of a function's options, by name.
using OptionMap = std::map<std::string, std::string>;

// How long one call may take, and how it is stopped.
struct CallLimits {
  std::chrono::nanoseconds timeout{0};  // 0: no limit
  std::stop_token stop = {};
};

}  // namespace alloy

#endif  // ALLOY_CALL_OPTIONS_HPP_
