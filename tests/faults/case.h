// SPDX-License-Identifier: MIT
//
// One case: a fault of an Arrow struct, or something unusual that is valid.
#ifndef ALLOY_TESTS_FAULTS_CASE_H_
#define ALLOY_TESTS_FAULTS_CASE_H_

#include <cstdint>
#include <span>

#include "alloy/reason.h"
#include "tests/faults/faults.h"
#include "tests/faults/tree.h"

namespace faults {

// FORMAT_UNKNOWN or FORMAT_PARAMETER: the parser decides.
inline constexpr int32_t kAnyFormatReason = FAULT_ANY_FORMAT;
// The column depends on a limit of the engine.
inline constexpr int32_t kAnyColumn = FAULT_ANY_COLUMN;

struct Case {
  const char* name;
  int32_t reason;  // ALLOY_REASON_NONE: valid
  int32_t column;
  void (*spoil)(Tree& tree);
  // The lowest level of the gate that finds the fault; results are checked at level 2.
  uint32_t level = 1;
};

}  // namespace faults

#endif  // ALLOY_TESTS_FAULTS_CASE_H_
