// SPDX-License-Identifier: MIT
//
// Give a function the columns it reads, in its own order, and none of the others.
//
// Threads  shared; a batch belongs to one thread at a time.
#ifndef ALLOY_SRC_ARROW_PROJECT_H_
#define ALLOY_SRC_ARROW_PROJECT_H_

#include <cstdint>
#include <vector>

#include "alloy/arrow_abi.h"
#include "arrow/owned.h"
#include "base/result.h"

namespace alloy::core {

struct Projection {
  std::vector<int32_t> columns;  // children of the batch, each at most once
  bool identity = true;          // all columns, in order: batches pass as they come
};

// The schema of the projected batch: a copy.
//   Fails  ALLOY_BAD_DATA, ALLOY_EXHAUSTED; ALLOY_INVALID for a column that is not there.
Result<OwnedSchema> ProjectSchema(const ArrowSchema& batch_schema,
                                  const Projection& projection);

// Put the projected batch in the place of *batch, which AdmitBatch has passed. The new
// one owns the old one, whose structs its children are.
//   Takes  *batch; on failure it is what it was.
//   Fails  ALLOY_EXHAUSTED; ALLOY_INVALID for a column that is not there.
Status ProjectBatch(const Projection& projection, ArrowArray* batch);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_PROJECT_H_
