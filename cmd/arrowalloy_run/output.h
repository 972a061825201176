// SPDX-License-Identifier: MIT
//
// Where results go: a file, a pipe, or a table for people. A file appears only when it is
// complete.
#ifndef ARROWALLOY_RUN_OUTPUT_H_
#define ARROWALLOY_RUN_OUTPUT_H_

#include <arrow/record_batch.h>

#include <memory>
#include <string>

namespace arrowalloy::run {

class Output {
 public:
  virtual ~Output() = default;

  //   Throws  E0102.
  virtual void Write(const std::shared_ptr<arrow::RecordBatch>& batch) = 0;

  // Everything is written: give the file its name. Without this call no file stays.
  virtual void Finish() = 0;

  // Remove the unfinished file. May be called from the signal thread.
  virtual void Abandon() noexcept = 0;
};

struct OutputOptions {
  std::string path;    // `-`: standard output
  std::string format;  // empty: by the ending
};

//   Throws  E0102, E0002.
std::unique_ptr<Output> OpenOutput(const OutputOptions& options,
                                   const std::shared_ptr<arrow::Schema>& schema);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_OUTPUT_H_
