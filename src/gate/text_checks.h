// SPDX-License-Identifier: MIT
//
// The checks of text at level full. The offsets or views of the rows have passed
// row_checks.h, so the bytes may be read. Null rows are not checked.
//
// The ranges count from the start of the buffers. Wrong rows are counted from the begin
// of the range; -1 if there is none.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_TEXT_CHECKS_H_
#define ALLOY_SRC_GATE_TEXT_CHECKS_H_

#include <cstdint>

#include "alloy/arrow_abi.h"
#include "gate/nulls.h"

namespace alloy::core {

// The first row whose text, behind offsets of 4 or 8 bytes, is not UTF-8.
int64_t FirstInvalidText(const ArrowArray& array, uint8_t offset_bytes, RowRange rows);

struct TextFault {
  int64_t row = -1;
  bool not_utf8 = false;  // else the prefix or the padding is wrong
};

// The first row whose view is wrong: the bytes after a short text must be 0, the prefix
// of a long text must be the first bytes of it and, if `utf8`, the text must be UTF-8.
TextFault FirstInvalidViewText(const ArrowArray& array, RowRange rows, bool utf8);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_TEXT_CHECKS_H_
