// SPDX-License-Identifier: MIT
//
// Shows an array that nobody has checked yet as text: checks it first, then describes it.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_DESCRIBE_H_
#define ALLOY_SRC_GATE_DESCRIBE_H_

#include <cstdint>
#include <string>

#include "alloy/arrow_abi.h"
#include "base/result.h"

namespace alloy::core {

// The text of DescribeRows (arrow/describe.h).
//   Fails  ALLOY_BAD_DATA  schema or array is malformed, or a string to show points
//                          outside its buffer.
Result<std::string> Describe(const ArrowSchema& schema, const ArrowArray& array);

// Write that text to `text`, as alloy_describe does: cut between two characters and ended
// by a NUL, unless capacity is 0. Returns the length of the whole text.
Result<int64_t> DescribeInto(const ArrowSchema& schema, const ArrowArray& array,
                             char* text, int64_t capacity);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_DESCRIBE_H_
