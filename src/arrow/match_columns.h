// SPDX-License-Identifier: MIT
//
// Finds the columns that a function declares in a batch, by name.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_MATCH_COLUMNS_H_
#define ALLOY_SRC_ARROW_MATCH_COLUMNS_H_

#include "alloy/backend.h"
#include "arrow/project.h"
#include "base/result.h"

namespace alloy::core {

// Find each column of `wanted`, a list that ends with a NULL name. If `wanted` is NULL,
// the function takes every batch unchanged. backend.h describes `accepts`; a format
// without `?:` does not accept dictionaries.
//   Fails  ALLOY_NO_MATCH  a column is missing, has a type that is not accepted, or
//                          occurs more than once; the text is a table of the columns.
//          ALLOY_BAD_DATA  the schema is malformed, or not that of a batch.
//          ALLOY_INVALID   the function declares a name twice.
Result<Projection> MatchColumns(const alloy_column* wanted,
                                const ArrowSchema& batch_schema);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_MATCH_COLUMNS_H_
