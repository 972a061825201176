// SPDX-License-Identifier: MIT
//
// The chosen columns of one file, as the function gets them.
#ifndef ARROWALLOY_RUN_INPUT_FILE_PART_H_
#define ARROWALLOY_RUN_INPUT_FILE_PART_H_

#include <arrow/record_batch.h>

#include <memory>
#include <string>

#include "input.h"
#include "opened_file.h"

namespace arrowalloy::run {

// Selects and casts the columns of a file, and cuts its batches to size. An error names the
// file.
//   Throws  E0002 for an unknown column or type.
std::shared_ptr<arrow::RecordBatchReader> ReadPart(OpenedFile& file,
                                                   const std::string& path,
                                                   const InputOptions& options);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_FILE_PART_H_
