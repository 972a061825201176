// SPDX-License-Identifier: MIT
//
// Compares the schema of a stream with the schema that was bound.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_SAME_SCHEMA_H_
#define ALLOY_SRC_ARROW_SAME_SCHEMA_H_

#include "alloy/arrow_abi.h"
#include "base/status.h"

namespace alloy::core {

// Check that `found`, which nobody has checked yet, describes the same batches as `bound`.
// Name, flags and metadata of the root are not compared: producers fill them differently,
// and they change nothing about the columns.
//   Fails  ALLOY_BAD_DATA  at the first place that differs (STREAM_SCHEMA) or is
//                          malformed.
Status CheckSameSchema(const ArrowSchema& bound, const ArrowSchema& found);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_SAME_SCHEMA_H_
