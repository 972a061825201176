// SPDX-License-Identifier: MIT
//
// One call of a backend on streams of Arrow batches. Errors are thrown as Failures.
//
// Threads  serial; any thread may use the stop token.
#ifndef ARROWALLOY_RUN_JOB_H_
#define ARROWALLOY_RUN_JOB_H_

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "alloy/function_info.hpp"
#include "options.h"

namespace arrowalloy::run {

// What errors say of an input.
struct InputFacts {
  std::string name;
  std::vector<std::string> columns;  // of the file
};

class Job {
 public:
  // Load the library and find the function.
  //   Throws  the engine's error.
  Job(const Options& options, const std::string& certificate);
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // The columns that the function declares for an input. No value: it takes any columns.
  std::optional<std::vector<alloy::ColumnInfo>> Declared(size_t input) const;
  bool TakesOneInput() const;

  // Bind the function to the inputs and open the stream of results.
  void Open(const std::vector<std::shared_ptr<arrow::RecordBatchReader>>& inputs,
            std::vector<InputFacts> facts, std::stop_token stop);

  std::shared_ptr<arrow::Schema> schema() const;

  // The next batch of the result; NULL at its end.
  std::shared_ptr<arrow::RecordBatch> Next();

 private:
  const alloy::FunctionInfo* Function() const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_JOB_H_
