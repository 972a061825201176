// SPDX-License-Identifier: MIT
//
// One reader for each file format. It reads all columns or only some.
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

// `columns`: names that exist in the file; NULL: all. The reader may return them in the
// order of the file, and in batches of more than `batch_rows` rows.
FileReader OpenFile(const InputOptions& options, const std::vector<std::string>* columns);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_FILE_READER_H_
