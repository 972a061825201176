// SPDX-License-Identifier: MIT
//
// Repairs a batch that is valid Arrow but does not follow the stricter rules of
// backend.h. The data is not copied: the new structs point to the old buffers, except
// for the few that mend.h copies.
//
// Threads  shared; a batch belongs to one thread at a time.
#ifndef ALLOY_SRC_GATE_REPAIR_H_
#define ALLOY_SRC_GATE_REPAIR_H_

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"
#include "gate/mend.h"

namespace alloy::core {

// Replace *batch, which has passed level shape, by a block that owns the old batch:
//   the batch's own offset becomes an offset of its columns
//   columns that are longer than the batch are cut
//   buffers that are NULL, because they have no bytes, become pointers
//   arrays of the null type have no buffers, and count all their rows as null
//   null counts that no longer hold become -1
//   the arrays of `mends` get copies of their buffers
//   Takes  *batch; on failure it is unchanged.
//   Fails  ALLOY_EXHAUSTED.
Status RepairBatch(const Layout& layout, std::vector<Mend> mends, ArrowArray* batch);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_REPAIR_H_
