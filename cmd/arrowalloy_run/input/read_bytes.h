// SPDX-License-Identifier: MIT
//
// For tests: reads bytes as `arrowalloy run` reads a file or a pipe, to the end.
#ifndef ARROWALLOY_RUN_INPUT_READ_BYTES_H_
#define ARROWALLOY_RUN_INPUT_READ_BYTES_H_

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace arrowalloy::run {

struct ReadOutcome {
  int64_t rows = 0;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  std::string error;  // empty: all was read
};

// Every batch must pass ValidateFull, and every error must have a text, a place and a next
// step. Otherwise the process ends. At most 64 batches are read: a few bytes may claim any
// number of rows of a column of nulls.
ReadOutcome ReadBytes(std::string_view bytes, bool as_pipe);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_READ_BYTES_H_
