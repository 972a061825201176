// SPDX-License-Identifier: MIT
//
// The checks of text at level full. The offsets or views of the rows have passed
// row_checks.h, so the bytes may be read.
//
// Below null rows there may be any bytes. The checks accept them, and report them: a
// library may read them anyway (mend.h). Bytes before the first offset, after the last
// one and between views belong to no row, and are not read.
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

struct TextFault {
  int64_t row = -1;
  bool not_utf8 = false;     // else the prefix or the padding of a view is wrong
  bool below_nulls = false;  // no row is wrong, but what a null row hides would be
};

// The first row whose text, behind offsets of 4 or 8 bytes, is not UTF-8.
TextFault FirstInvalidText(const ArrowArray& array, uint8_t offset_bytes, RowRange rows);

// The first row whose view is wrong: the bytes after a short text must be 0, the prefix
// of a long text must be the first bytes of it and, if `utf8`, the text must be UTF-8.
// The views of null rows may also point outside their buffers.
TextFault FirstInvalidViewText(const ArrowArray& array, RowRange rows, bool utf8);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_TEXT_CHECKS_H_
