// SPDX-License-Identifier: MIT
#ifndef ARROWALLOY_RUN_INPUT_CSV_DIALECT_H_
#define ARROWALLOY_RUN_INPUT_CSV_DIALECT_H_

#include <string>
#include <vector>

namespace arrowalloy::run {

// How a CSV file is written.
struct CsvDialect {
  char delimiter = ',';
  char quote = '"';    // '\0': quotes are ordinary characters
  char escape = '\0';  // '\0': none
  bool header = true;  // the first record has the names of the columns
  std::vector<std::string> nulls = {
      ""};  // the spellings of null, where they are not quoted
};

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_CSV_DIALECT_H_
