// SPDX-License-Identifier: MIT
//
// The gate for what crosses: batches, checked and mended.
//
// Threads  shared; a batch belongs to one thread at a time.
#ifndef ALLOY_SRC_GATE_BATCH_H_
#define ALLOY_SRC_GATE_BATCH_H_

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"
#include "gate/level.h"

namespace alloy::core {

// Check a batch at a level, and mend what can be mended without touching its data: on
// success *batch is a batch as backend.h has it, and no buffer but a validity bitmap is
// NULL. A batch that is one already is not changed; any other becomes a block that owns
// what was there.
//   Takes  nothing: on failure *batch is what it was, and still the caller's.
//   Fails  ALLOY_BAD_DATA   with reason and column.
//          ALLOY_EXHAUSTED  no memory to mend with.
Status AdmitBatch(const Layout& layout, Level level, ArrowArray* batch);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_BATCH_H_
