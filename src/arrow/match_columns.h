// SPDX-License-Identifier: MIT
//
// Find the columns that a function declares among those of a batch, by name.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_MATCH_COLUMNS_H_
#define ALLOY_SRC_ARROW_MATCH_COLUMNS_H_

#include "alloy/backend.h"
#include "arrow/project.h"
#include "base/result.h"

namespace alloy::core {

// Find each of `wanted` (ends with a NULL name; NULL: batches as they come). What
// `accepts` says is in backend.h; a format without `?:` accepts no dictionary.
//   Fails  ALLOY_NO_MATCH  a column is missing, of a type that is not accepted, or there
//                          more than once; the text is a table of wanted and got.
//          ALLOY_BAD_DATA  the schema is none of a batch.
//          ALLOY_INVALID   the function declares one name twice.
Result<Projection> MatchColumns(const alloy_column* wanted,
                                const ArrowSchema& batch_schema);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_MATCH_COLUMNS_H_
