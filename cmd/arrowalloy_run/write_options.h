// SPDX-License-Identifier: MIT
//
// Every option that Arrow C++ has for writing, decided. The options for reading are in
// input/read_options.h.
#ifndef ARROWALLOY_RUN_WRITE_OPTIONS_H_
#define ARROWALLOY_RUN_WRITE_OPTIONS_H_

#include <arrow/csv/options.h>
#include <arrow/ipc/options.h>
#include <parquet/properties.h>

#include <cstdint>
#include <memory>

namespace arrowalloy::run {

// The limits of a row group of Parquet.
constexpr int64_t kMaxGroupRows = int64_t{1} << 20;
// Arrow has no limit in bytes. Rows of a megabyte would take a terabyte.
constexpr int64_t kMaxGroupBytes = int64_t{256} << 20;

arrow::csv::WriteOptions CsvWriteOptions();
arrow::ipc::IpcWriteOptions IpcWriteOptions();
std::shared_ptr<parquet::WriterProperties> ParquetFileOptions();
std::shared_ptr<parquet::ArrowWriterProperties> ParquetArrowOptions();

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_WRITE_OPTIONS_H_
