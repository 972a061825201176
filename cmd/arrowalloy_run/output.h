// SPDX-License-Identifier: MIT
//
// Where results go: a file that appears whole or not at all, a pipe, or a table for
// people.
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

  // All is written: put the file in its place. What ends without it leaves nothing.
  virtual void Finish() = 0;

  // Forget the file from a signal's own thread: it is unlinked, and never renamed.
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
