// SPDX-License-Identifier: MIT
//
// Files and pipes as streams of batches. Only the requested columns are read, and batches
// have at most the requested rows. At most one batch is read ahead of demand.
#ifndef ARROWALLOY_RUN_INPUT_H_
#define ARROWALLOY_RUN_INPUT_H_

#include <arrow/record_batch.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace arrowalloy::run {

struct InputOptions {
  std::string path;                                      // `-`: standard input
  std::string format;                                    // empty: by the ending
  std::optional<std::vector<std::string>> columns = {};  // in this order; no value: all
  std::map<std::string, std::string> casts = {};         // column to type
  int64_t batch_rows = 65536;
  int64_t limit = -1;  // rows; -1: all
};

// What the reader has returned so far. Any thread may read it.
struct InputCount {
  std::atomic<int64_t> rows{0};
  std::atomic<int64_t> nanoseconds{0};  // spent in reading
};

struct Input {
  std::shared_ptr<arrow::RecordBatchReader> reader;
  std::shared_ptr<InputCount> count;
  int64_t total_rows = -1;  // -1: unknown until the end
};

// The schema of a file.
//   Throws  E0101, E0002.
std::shared_ptr<arrow::Schema> SchemaOf(const InputOptions& options);

// Open an input.
//   Throws  E0101; E0002 for an unknown column or type, with the columns of the file.
Input OpenInput(const InputOptions& options);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_H_
