// SPDX-License-Identifier: MIT
//
// Whether a stream brings what was bound.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_SAME_SCHEMA_H_
#define ALLOY_SRC_ARROW_SAME_SCHEMA_H_

#include "alloy/arrow_abi.h"
#include "base/status.h"

namespace alloy::core {

// Check that `found`, of which nothing is known, says of batches what `bound` says. Name,
// flags and metadata of the batch itself tell nothing of its columns, and producers
// differ in them: they are not compared.
//   Fails  ALLOY_BAD_DATA  at the first place that differs (STREAM_SCHEMA), or that is
//                          malformed.
Status CheckSameSchema(const ArrowSchema& bound, const ArrowSchema& found);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_SAME_SCHEMA_H_
