// SPDX-License-Identifier: MIT
//
// Arrays as records. A record says where each buffer lies: (segment, offset, length), never
// an address. So the two processes need not share addresses, and every buffer has a known
// size, which the C data interface does not carry.
//
// A record is written in preorder along the layout (a dictionary first, then the children),
// as the gate counts columns. Neither side tells the other the nesting.
//
//   places         the words of a record      record_copies  checked copies of what readers follow
//   record_writer  from an ArrowArray         record_reader  to an ArrowArray
#ifndef ALLOY_SRC_WIRE_RECORDS_H_
#define ALLOY_SRC_WIRE_RECORDS_H_

#include "wire/places.h"         // IWYU pragma: export
#include "wire/record_reader.h"  // IWYU pragma: export
#include "wire/record_writer.h"  // IWYU pragma: export

#endif  // ALLOY_SRC_WIRE_RECORDS_H_
