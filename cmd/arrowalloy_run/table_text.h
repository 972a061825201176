// SPDX-License-Identifier: MIT
//
// The first rows of a result as a table for people.
#ifndef ARROWALLOY_RUN_TABLE_TEXT_H_
#define ARROWALLOY_RUN_TABLE_TEXT_H_

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

namespace arrowalloy::run {

class TableText {
 public:
  explicit TableText(std::shared_ptr<arrow::Schema> schema)
      : schema_(std::move(schema)) {}

  void Add(const arrow::RecordBatch& batch);

  // Names, types and at most 40 rows in aligned columns, then the number of further rows.
  std::string ToText() const;

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::vector<std::string>> rows_;
  int64_t total_ = 0;
};

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_TABLE_TEXT_H_
