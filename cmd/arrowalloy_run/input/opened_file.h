// SPDX-License-Identifier: MIT
//
// One open file as columns, whatever its format.
#ifndef ARROWALLOY_RUN_INPUT_OPENED_FILE_H_
#define ARROWALLOY_RUN_INPUT_OPENED_FILE_H_

#include <arrow/record_batch.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace arrowalloy::run {

// Threads  serial.
class OpenedFile {
 public:
  virtual ~OpenedFile() = default;

  // Of all columns.
  virtual std::shared_ptr<arrow::Schema> schema() const = 0;
  virtual int64_t total_rows() const = 0;  // -1: unknown until the end

  // Read these columns, given by their places in the schema, in ascending order. No column:
  // all. Each batch is validated in full. Batches may be of any size. Call it once.
  virtual std::shared_ptr<arrow::RecordBatchReader> Read(
      const std::vector<int>& columns) = 0;
};

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_OPENED_FILE_H_
