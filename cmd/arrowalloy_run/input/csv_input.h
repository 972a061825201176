// SPDX-License-Identifier: MIT
//
// CSV, with types that are decided before the first row is read.
#ifndef ARROWALLOY_RUN_INPUT_CSV_INPUT_H_
#define ARROWALLOY_RUN_INPUT_CSV_INPUT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "csv_layout.h"
#include "csv_types.h"
#include "opened_file.h"
#include "source.h"

namespace arrowalloy::run {

struct CsvRequest {
  CsvDialect dialect;
  // For a file without a header, if it has as many columns. Otherwise they are f0, f1, ...
  std::vector<std::string> names;
  std::function<CsvType(const std::string& column, const CsvGuess& guess)> type_of;
  std::function<void(const std::string& text)> warn;
};

//   Throws  E0101.
std::unique_ptr<OpenedFile> OpenCsv(Source source, CsvRequest request);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_CSV_INPUT_H_
