// SPDX-License-Identifier: MIT
//
// Opens a file by what it is, not by its name.
#ifndef ARROWALLOY_RUN_INPUT_OPEN_FILE_H_
#define ARROWALLOY_RUN_INPUT_OPEN_FILE_H_

#include <memory>
#include <string>

#include "csv_input.h"
#include "input.h"
#include "opened_file.h"
#include "source.h"

namespace arrowalloy::run {

// A file with its format and, if it is compressed, what is inside. `csv` is used for a CSV.
//   Throws  E0101; E0002 if --format names another format than the file has.
std::unique_ptr<OpenedFile> OpenFile(Source source, const InputOptions& options,
                                     CsvRequest csv);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_OPEN_FILE_H_
