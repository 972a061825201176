// SPDX-License-Identifier: MIT
//
// Every read option of Arrow C++, decided. A default of Arrow never decides by silence what
// a value becomes: read_options.cc names each option, the value and the reason. A test
// compares it with the headers of Arrow, so that a new option is decided, too.
#ifndef ARROWALLOY_RUN_INPUT_READ_OPTIONS_H_
#define ARROWALLOY_RUN_INPUT_READ_OPTIONS_H_

#include <arrow/csv/options.h>
#include <arrow/ipc/options.h>
#include <parquet/properties.h>

#include <cstdint>

#include "csv_layout.h"

namespace arrowalloy::run {

arrow::ipc::IpcReadOptions IpcReadDecisions(arrow::MemoryPool* pool);

parquet::ReaderProperties ParquetFileDecisions(arrow::MemoryPool* pool);
parquet::ArrowReaderProperties ParquetArrowDecisions(int64_t batch_rows);

arrow::csv::ReadOptions CsvReadDecisions(const CsvLayout& layout, int64_t block_size);
arrow::csv::ParseOptions CsvParseDecisions(const CsvLayout& layout);
arrow::csv::ConvertOptions CsvConvertDecisions(const CsvLayout& layout);

// Extension types are read as their storage, and their names stay in the metadata of the
// field. So a file whose extension Arrow cannot build is readable, and no backend meets a
// type that it does not know.
void TakeExtensionsAsStorage();

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_READ_OPTIONS_H_
