// SPDX-License-Identifier: MIT
//
// The way past admission to the loader, for tests of the loader and for benchmarks.
#ifndef ALLOY_TESTS_SUPPORT_CLEARED_FOR_TEST_H_
#define ALLOY_TESTS_SUPPORT_CLEARED_FOR_TEST_H_

#include <utility>

#include "port/cleared.h"

namespace alloy::core {

struct ClearedForTest {
  static Cleared Make(Fd sealed) { return {std::move(sealed), "test", false, {}}; }
};

}  // namespace alloy::core

#endif  // ALLOY_TESTS_SUPPORT_CLEARED_FOR_TEST_H_
