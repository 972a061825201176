// SPDX-License-Identifier: MIT
#ifndef ARROWALLOY_RUN_INPUT_CSV_LAYOUT_H_
#define ARROWALLOY_RUN_INPUT_CSV_LAYOUT_H_

#include <arrow/type_fwd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "csv_dialect.h"
#include "csv_records.h"

namespace arrowalloy::run {

struct CsvType {
  std::shared_ptr<arrow::DataType> type;
  bool guessed = true;  // from the first records
};

// All that Arrow needs to know about a CSV file, with the records after its header. For
// Arrow the columns have the names 0, 1, 2, ...: those of a file may be there twice.
struct CsvLayout {
  CsvDialect dialect;
  bool one_column = false;
  std::vector<std::string> names;
  std::vector<CsvType> types;
  std::vector<std::shared_ptr<arrow::DataType>> parsed;  // what the parser makes of each
  std::vector<int> chosen;                               // the columns to read

  bool IsNull(const CsvField& field) const {
    return !field.quoted &&
           std::ranges::find(dialect.nulls, field.text) != dialect.nulls.end();
  }
};

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_CSV_LAYOUT_H_
