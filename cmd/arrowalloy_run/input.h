// SPDX-License-Identifier: MIT
//
// Files and pipes as streams of batches: only the columns that are asked for, no more
// rows at once than are asked for, and never read ahead of demand by more than a batch.
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
  std::optional<std::vector<std::string>> columns = {};  // in this order; none: all
  std::map<std::string, std::string> casts = {};         // column to type
  int64_t batch_rows = 65536;
  int64_t limit = -1;  // rows; -1: all
};

// What the reader has given so far; any thread may look.
struct InputCount {
  std::atomic<int64_t> rows{0};
  std::atomic<int64_t> nanoseconds{0};  // spent in reading
};

struct Input {
  std::shared_ptr<arrow::RecordBatchReader> reader;
  std::shared_ptr<InputCount> count;
  int64_t total_rows = -1;  // -1: not known before the end
};

// The columns of a file, without its data.
//   Throws  E0101, E0002.
std::shared_ptr<arrow::Schema> SchemaOf(const InputOptions& options);

// Open an input. A column that is not there, or a cast that is not possible, is an error
// that names what there is.
//   Throws  E0101, E0002.
Input OpenInput(const InputOptions& options);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_H_
