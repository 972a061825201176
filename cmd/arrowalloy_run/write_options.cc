// SPDX-License-Identifier: MIT
#include "write_options.h"

#include <arrow/util/thread_pool.h>

namespace arrowalloy::run {

arrow::csv::WriteOptions CsvWriteOptions() {
  auto options = arrow::csv::WriteOptions::Defaults();
  options.include_header = true;
  options.batch_size = 1024;  // rows that are formatted at once; not visible in the file
  options.delimiter = ',';
  options.null_string = "";  // a null is empty; an empty string is ""
  options.eol = "\n";
  // Strings are quoted, and so differ from nulls and numbers.
  options.quoting_style = arrow::csv::QuotingStyle::Needed;
  return options;
}

arrow::ipc::IpcWriteOptions IpcWriteOptions() {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.allow_64bit = false;  // longer columns than other implementations read
  options.max_recursion_depth = arrow::ipc::kMaxNestingDepth;
  options.alignment = 64;  // a reader that maps the file has aligned buffers
  options.write_legacy_ipc_format = false;
  options.codec = nullptr;                 // readable without a copy, also in a pipe
  options.use_threads = true;              // used for compression only
  options.emit_dictionary_deltas = false;  // not every reader knows them
  options.unify_dictionaries = false;      // for tables only
  options.metadata_version = arrow::ipc::MetadataVersion::V5;
  return options;
}

std::shared_ptr<parquet::WriterProperties> ParquetFileOptions() {
  return parquet::WriterProperties::Builder()
      .version(parquet::ParquetVersion::PARQUET_2_6)  // has nanoseconds and unsigned
      ->data_page_version(parquet::ParquetDataPageVersion::V1)  // every reader has it
      ->compression(parquet::Compression::SNAPPY)  // as pyarrow: less to write than none
      ->enable_dictionary()
      ->enable_statistics()  // readers skip row groups by them
      ->disable_write_page_index()
      ->disable_page_checksum()
      ->encoding(parquet::Encoding::PLAIN)  // of what no dictionary fits
      ->max_row_group_length(kMaxGroupRows)
      ->write_batch_size(1024)
      ->data_pagesize(int64_t{1} << 20)
      ->dictionary_pagesize_limit(int64_t{1} << 20)
      ->build();
}

std::shared_ptr<parquet::ArrowWriterProperties> ParquetArrowOptions() {
  return parquet::ArrowWriterProperties::Builder()
      .store_schema()  // types that Parquet does not have come back
      ->disable_deprecated_int96_timestamps()
      // Seconds become milliseconds, which is exact; an overflow is an error. Nothing else
      // is coerced, and so nothing is truncated.
      ->disallow_truncated_timestamps()
      ->enable_compliant_nested_types()
      ->set_engine_version(parquet::ArrowWriterProperties::V2)
      ->set_use_threads(true)  // columns are encoded on all cores
      ->set_executor(arrow::internal::GetCpuThreadPool())
      ->build();
}

}  // namespace arrowalloy::run
