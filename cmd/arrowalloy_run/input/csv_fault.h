// SPDX-License-Identifier: MIT
//
// Finds the record that the parser refused. Its own errors name no row of the file.
#ifndef ARROWALLOY_RUN_INPUT_CSV_FAULT_H_
#define ARROWALLOY_RUN_INPUT_CSV_FAULT_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "csv_blocks.h"
#include "csv_layout.h"

namespace arrowalloy::run {

struct CsvFault {
  std::string text;  // with row, line and column
  std::string help;
};

// `blocks`: the last that were read, one of which is refused. `rows`: those before them.
// Nothing if every record can be read: then the cause is another.
std::optional<CsvFault> FindCsvFault(const CsvLayout& layout,
                                     const std::deque<CsvBlocks::Block>& blocks,
                                     int64_t rows);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_CSV_FAULT_H_
