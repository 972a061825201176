// SPDX-License-Identifier: MIT
//
// Gives a function only the columns that it reads, in the order that it declares.
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
  bool identity = true;          // all columns in their order: batches stay unchanged
};

// A copy of the schema with only the projected columns.
//   Fails  ALLOY_BAD_DATA, ALLOY_EXHAUSTED
//          ALLOY_INVALID  the batch has no such column.
Result<OwnedSchema> ProjectSchema(const ArrowSchema& batch_schema,
                                  const Projection& projection);

// Replace *batch, which AdmitBatch has passed, by the projected batch. The new batch owns
// the old one, and its children are structs of the old one.
//   Takes  *batch; on failure it is unchanged.
//   Fails  ALLOY_EXHAUSTED
//          ALLOY_INVALID  the batch has no such column.
Status ProjectBatch(const Projection& projection, ArrowArray* batch);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_PROJECT_H_
