// SPDX-License-Identifier: MIT
//
// One reader for each format, over all columns or some.
#ifndef ARROWALLOY_RUN_FILE_READER_H_
#define ARROWALLOY_RUN_FILE_READER_H_

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "format.h"
#include "input.h"

namespace arrowalloy::run {

struct FileReader {
  std::shared_ptr<arrow::RecordBatchReader> reader;
  std::shared_ptr<arrow::Schema> schema;  // of all columns
  int64_t total_rows = -1;
};

// `columns`: names that are in the file; NULL: all. The reader may give them in the order
// of the file, and more rows at once than `batch_rows`.
FileReader OpenFile(const InputOptions& options, const std::vector<std::string>* columns);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_FILE_READER_H_
