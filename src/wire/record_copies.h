// SPDX-License-Identifier: MIT
//
// Copies of what readers follow. A copy is checked after it was made, in private memory:
// the other side may change the original at any time, so nothing is read from there twice.
//
// Each function returns the first wrong row, or -1.
//
// Threads  shared.
#ifndef ALLOY_SRC_WIRE_RECORD_COPIES_H_
#define ALLOY_SRC_WIRE_RECORD_COPIES_H_

#include <cstddef>
#include <cstdint>

#include "alloy/arrow_abi.h"

namespace alloy::core {

// Keep the compiler from reading again what was copied out of shared memory.
void EndOfSharedRead();

// Copy `rows` + 1 offsets. They must begin at 0 or above, or exactly at `base` if that is not
// -1; not decrease; and end at most at `limit`. With a base, each becomes smaller by it.
int64_t CopyCheckedOffsets(std::byte* to, const std::byte* from, uint8_t bytes,
                           int64_t rows, int64_t base, int64_t limit);

// Copy `rows` views of `array`, whose sizes and bitmap are private already. `first` is the
// first of them, from the begin of the buffers. A long view must lie in its buffer; in a
// null row it becomes empty if it does not.
int64_t CopyCheckedViews(std::byte* to, const std::byte* from, int64_t rows,
                         const ArrowArray& array, int64_t first);

}  // namespace alloy::core

#endif  // ALLOY_SRC_WIRE_RECORD_COPIES_H_
