// SPDX-License-Identifier: MIT
//
// The gate at the levels safe and full: does what the rows lead to stay in its buffer?
//
// Safe judges the rows that are reached from those of the array: of the children of a
// struct, of a fixed-size list and of a sparse union those beside the parent's rows; of a
// list those from its first to its last offset; of list views and dense unions those from
// the smallest place to the largest; of run-end arrays all run ends, and the values of
// the runs that the rows touch; of dictionaries all values. So what a slice costs is in
// proportion to the slice. Full judges each array below the columns as a whole, whatever
// is reached of it.
//
// C data has no sizes: that a buffer is as long as the struct implies is believed.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_DEEP_H_
#define ALLOY_SRC_GATE_DEEP_H_

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"
#include "gate/level.h"

namespace alloy::core {

// Check what level shape left open of an array that has passed it; at level shape,
// nothing. Of a struct array only the rows that it has itself: a batch is cut to them.
//   Fails  ALLOY_BAD_DATA  with reason and column; the text names the row.
Status CheckDeep(const Layout& layout, Level level, const ArrowArray& array);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_DEEP_H_
