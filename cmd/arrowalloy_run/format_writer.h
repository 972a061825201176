// SPDX-License-Identifier: MIT
//
// One writer for each file format, with the options of write_options.h. A value that a format cannot hold exactly is an error that
// names its column, never another value.
#ifndef ARROWALLOY_RUN_FORMAT_WRITER_H_
#define ARROWALLOY_RUN_FORMAT_WRITER_H_

#include <arrow/io/type_fwd.h>
#include <arrow/record_batch.h>
#include <arrow/status.h>

#include <memory>
#include <string>
#include <vector>

#include "format.h"

namespace arrowalloy::run {

class FormatWriter {
 public:
  virtual ~FormatWriter() = default;

  virtual arrow::Status Write(const arrow::RecordBatch& batch) = 0;
  // Write what is left. The sink stays open.
  virtual arrow::Status Close() = 0;
};

// Open a writer of `format`.
//   Throws  E0104, which names the first column of a type that the format does not have.
std::unique_ptr<FormatWriter> MakeWriter(
    Format format, const std::shared_ptr<arrow::io::OutputStream>& sink,
    const std::shared_ptr<arrow::Schema>& schema, const std::string& path);

// What in the schema does not come back from a file of this format although each value
// does: one line for each column.
std::vector<std::string> LossesOf(Format format, const arrow::Schema& schema);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_FORMAT_WRITER_H_
