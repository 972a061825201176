// SPDX-License-Identifier: MIT
//
// The services of backend.h, as a backend in this process gets them.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_SERVICES_H_
#define ALLOY_SRC_ENGINE_CHANNEL_SERVICES_H_

#include <cstdint>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "base/result.h"

namespace alloy::core {

// The table that every scope points to; constant. Its entries expect a Scope.
const alloy_services& Services();

// Write the text of an array (gate/describe.h) to `text`, as alloy_describe does: cut
// between two characters and ended by a NUL, unless capacity is 0. Returns the length of
// the whole text.
Result<int64_t> DescribeInto(const ArrowSchema& schema, const ArrowArray& array,
                             char* text, int64_t capacity);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_SERVICES_H_
