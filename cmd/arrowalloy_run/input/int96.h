// SPDX-License-Identifier: MIT
//
// Timestamps of 96 bits. Old Parquet files have them: a day and the nanoseconds of the day.
// No Arrow type holds all of them: 64 bits of nanoseconds end in 2262, and microseconds
// lose digits. Arrow wraps or cuts without a word. Read both ways, the two show whether the
// value is exact.
#ifndef ARROWALLOY_RUN_INPUT_INT96_H_
#define ARROWALLOY_RUN_INPUT_INT96_H_

#include <arrow/record_batch.h>

#include <memory>

namespace arrowalloy::run {

// The columns of one file, read with INT96 as microseconds and again as nanoseconds. The
// result has each column as `schema` says. A value that does not fit is an error with its
// column and row.
std::shared_ptr<arrow::RecordBatchReader> CheckInt96(
    std::shared_ptr<arrow::RecordBatchReader> microseconds,
    std::shared_ptr<arrow::RecordBatchReader> nanoseconds,
    std::shared_ptr<arrow::Schema> schema);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_INT96_H_
