// SPDX-License-Identifier: MIT
//
// The mode of the tests, for the programs that they start; see tests/support/support.h.
#ifndef ALLOY_TESTS_ATTACKS_MODE_H_
#define ALLOY_TESTS_ATTACKS_MODE_H_

#include <cstdlib>
#include <string_view>

#include "alloy/alloy.hpp"

namespace attacks {

inline alloy::Bridge NewBridge(const alloy::Host& host) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): read before any thread begins
  const char* const text = std::getenv("ALLOY_TEST_ISOLATED");
  if (text == nullptr || std::string_view(text) != "1") return alloy::Bridge(host);
  return alloy::Bridge(host, {.isolated = alloy::Isolation::kWorkers, .limits = {}});
}

}  // namespace attacks

#endif  // ALLOY_TESTS_ATTACKS_MODE_H_
