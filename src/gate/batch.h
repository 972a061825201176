// SPDX-License-Identifier: MIT
//
// The gate for batches: every batch that crosses between host and backend passes here.
//
// Threads  shared; a batch belongs to one thread at a time.
#ifndef ALLOY_SRC_GATE_BATCH_H_
#define ALLOY_SRC_GATE_BATCH_H_

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"
#include "gate/level.h"

namespace alloy::core {

// Check a batch. Then repair what can be repaired without a change of data (repair.h): on
// success *batch follows the rules of backend.h, and only validity bitmaps may be NULL. A
// batch that needs no repair is not changed.
//   Takes  nothing: on failure *batch is unchanged, and still the caller's.
//   Fails  ALLOY_BAD_DATA   with reason and column.
//          ALLOY_EXHAUSTED  not enough memory for the repair.
Status AdmitBatch(const Layout& layout, Checks checks, ArrowArray* batch);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_BATCH_H_
