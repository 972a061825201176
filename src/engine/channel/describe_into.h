// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ENGINE_CHANNEL_DESCRIBE_INTO_H_
#define ALLOY_SRC_ENGINE_CHANNEL_DESCRIBE_INTO_H_

#include <cstdint>

#include "alloy/arrow_abi.h"
#include "base/result.h"

namespace alloy::core {

// The text of an array (data/describe.h) into a caller's memory: cut between two
// characters and ended by a NUL, unless capacity is 0. Gives the length of the whole
// text.
Result<int64_t> DescribeInto(const ArrowSchema& schema, const ArrowArray& array,
                             char* text, int64_t capacity);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_DESCRIBE_INTO_H_
