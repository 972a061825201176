// SPDX-License-Identifier: MIT
//
// One fault of an Arrow struct, or one oddity that is valid all the same.
#ifndef ALLOY_TESTS_FAULTS_CASE_H_
#define ALLOY_TESTS_FAULTS_CASE_H_

#include <cstdint>
#include <span>

#include "alloy/reason.h"
#include "tests/faults/tree.h"

namespace faults {

// Either of FORMAT_UNKNOWN and FORMAT_PARAMETER: where one ends is the parser's business.
inline constexpr int32_t kAnyFormatReason = -1;
// The column depends on a limit of the engine.
inline constexpr int32_t kAnyColumn = -2;

struct Case {
  const char* name;
  int32_t reason;  // ALLOY_REASON_NONE: valid
  int32_t column;
  void (*spoil)(Tree& tree);
  uint32_t level = 1;  // of the gate, as alloy_bridge_options has them: from there on it
                       // is found; 2 is what a backend's results are checked at
};

}  // namespace faults

#endif  // ALLOY_TESTS_FAULTS_CASE_H_
