// SPDX-License-Identifier: MIT
//
// Files and pipes as streams of batches: the only way in. Each is recognised by its first
// bytes, and checked in full. Only the requested columns are read, and batches have at most
// the requested rows. At most one batch is read ahead of demand.
#ifndef ARROWALLOY_RUN_INPUT_INPUT_H_
#define ARROWALLOY_RUN_INPUT_INPUT_H_

#include <arrow/record_batch.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alloy/function_info.hpp"
#include "csv_dialect.h"

namespace arrowalloy::run {

struct InputOptions {
  // Files, folders and patterns that are read one after another as one input; `-`: standard
  // input. All have the same columns, with the same types, in any order.
  std::vector<std::string> paths;
  std::string format;                                    // empty: by the first bytes
  std::optional<std::vector<std::string>> columns = {};  // in this order; no value: all
  // What the function declares to read. If `columns` has no value, only these are read.
  std::optional<std::vector<alloy::ColumnInfo>> declared = {};
  std::map<std::string, std::string> casts = {};  // column to type
  CsvDialect csv = {.delimiter = '\0'};  // '\0': a tab for .tsv, otherwise a comma
  int64_t batch_rows = 65536;
  int64_t limit = -1;  // rows; -1: all
  std::function<void(const std::string&)> warn = [](const std::string&) {};
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
  // All columns of the first file, also those that are not read.
  std::vector<std::string> columns = {};
};

// Open an input.
//   Throws  E0101; E0002 for an unknown column or type, with the columns of the file.
Input OpenInput(const InputOptions& options);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_INPUT_H_
