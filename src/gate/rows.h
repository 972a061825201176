// SPDX-License-Identifier: MIT
//
// The gate at the levels safe and full: do the values of an array point only where they
// may? shape.h comes first.
//
// Level safe checks the rows that can be reached from the rows of the array:
//   struct, fixed-size list, sparse union   the children's rows at the same places
//   list                                    from the first to the last offset
//   list view, dense union                  from the lowest to the highest offset
//   run ends                                all run ends, and the values of the runs that
//                                           contain the rows
//   dictionary                              all values
// So the check of a slice costs in proportion to the slice. Level full checks all rows of
// each array below the columns, whether or not they can be reached.
//
// C data has no buffer sizes. The gate must trust that each buffer is as long as the
// struct implies.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_ROWS_H_
#define ALLOY_SRC_GATE_ROWS_H_

#include <vector>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"
#include "gate/level.h"
#include "gate/mend.h"

namespace alloy::core {

// Check the rows of an array that has passed level shape. At level shape there is nothing
// left to check. In the columns of a batch only the batch's own rows are checked: longer
// columns are cut to them.
//
// mends: NULL, or gets what a reader could not read although it is valid Arrow. At level safe these
// are the views and the indices of null rows. If the values are trusted, they are also the
// texts of null rows, and misaligned buffers.
//   Fails  ALLOY_BAD_DATA  with reason and column; the text names the row.
Status CheckRows(const Layout& layout, Checks checks, const ArrowArray& array,
                 std::vector<Mend>* mends = nullptr);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_ROWS_H_
