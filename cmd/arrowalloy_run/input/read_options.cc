// SPDX-License-Identifier: MIT
#include "read_options.h"

#include <arrow/extension_type.h>
#include <arrow/type.h>

#include <memory>
#include <string>

namespace arrowalloy::run {

// ---- Arrow IPC

arrow::ipc::IpcReadOptions IpcReadDecisions(arrow::MemoryPool* pool) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.max_recursion_depth =
      64;                        // no real schema is deeper, and the stack is not endless
  options.memory_pool = pool;    // with the limit of the machine
  options.included_fields = {};  // all; a caller that needs fewer says so
  options.use_threads = true;    // for decompression
  options.ensure_native_endian = true;  // a file of another machine has the same values
  // Backends read aligned values. Bytes that a writer has packed are copied.
  options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
  // Used by no reader of ours: pre_buffer_cache_options, for remote files.
  return options;
}

// ---- Parquet

parquet::ReaderProperties ParquetFileDecisions(arrow::MemoryPool* pool) {
  parquet::ReaderProperties options(pool);
  options.set_memory_pool(pool);     // with the limit of the machine
  options.enable_buffered_stream();  // memory is bounded by pieces, not by row groups
  options.set_buffer_size(int64_t{1} << 20);
  options.set_page_checksum_verification(true);        // pages that have one are checked
  options.set_thrift_string_size_limit(100'000'000);   // Arrow's bounds against a footer
  options.set_thrift_container_size_limit(1'000'000);  // that claims too much
  options.set_schema_depth_limit(100);                 // and one that is too deep
  options.disable_read_dense_for_nullable();           // rows stay in their places
  options.set_footer_read_size(size_t{64} * 1024);
  options.file_decryption_properties(nullptr);  // an encrypted file is an error
  return options;
}

parquet::ArrowReaderProperties ParquetArrowDecisions(int64_t batch_rows) {
  parquet::ArrowReaderProperties options(/*use_threads=*/true);
  options.set_use_threads(true);
  options.set_batch_size(batch_rows);
  options.set_pre_buffer(false);  // it holds whole row groups; for remote files
  options.set_cache_options(
      arrow::io::CacheOptions::LazyDefaults());  // unused without it
  options.set_io_context(arrow::io::default_io_context());
  // Every year fits. Nanoseconds are checked: see int96.h.
  options.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  // Types without an Arrow schema in the file; with one, it decides.
  options.set_binary_type(arrow::Type::BINARY);
  options.set_list_type(arrow::Type::LIST);
  options.set_arrow_extensions_enabled(false);  // storage, as for all extension types
  options.set_should_load_statistics(false);    // of no use here
  // read_dictionary stays off: a dictionary is read where the Arrow schema has one.
#if ARROW_VERSION_MAJOR >= 22
  options.set_smallest_decimal_enabled(false);  // backends know decimal128
#endif
#if ARROW_VERSION_MAJOR >= 26
  options.set_convert_flba_timestamps(true);
  options.set_flba_timestamp_clamp_on_overflow(false);  // an error, not another time
#endif
  return options;
}

// ---- CSV

arrow::csv::ReadOptions CsvReadDecisions(const CsvLayout& layout, int64_t block_size) {
  auto options = arrow::csv::ReadOptions::Defaults();
  options.use_threads = true;  // for the columns of a block; the order of rows stays
  options.block_size = static_cast<int32_t>(block_size);
  options.skip_rows = 0;  // the header is cut off before: see csv_input.cc
  options.skip_rows_after_names = 0;
  options.column_names.clear();  // 0, 1, ...: the names of a file may be there twice
  for (size_t i = 0; i < layout.names.size(); ++i) {
    options.column_names.push_back(std::to_string(i));
  }
  options.autogenerate_column_names = false;
  return options;
}

arrow::csv::ParseOptions CsvParseDecisions(const CsvLayout& layout) {
  auto options = arrow::csv::ParseOptions::Defaults();
  const CsvDialect& dialect = layout.dialect;
  options.delimiter = dialect.delimiter;
  options.quoting = dialect.quote != '\0';
  if (options.quoting) options.quote_char = dialect.quote;
  options.double_quote = true;  // RFC 4180: two quotes in quotes are one
  options.escaping = dialect.escape != '\0';
  if (options.escaping) options.escape_char = dialect.escape;
  // Only for the cutting of blocks, which csv_blocks.h does: records stay whole anyway.
  options.newlines_in_values = false;
  // In a file of one column an empty line is a null; elsewhere it says nothing.
  options.ignore_empty_lines = !layout.one_column;
  options.invalid_row_handler =
      nullptr;                           // a record with too few or too many fields is an
  options.pad_short_rows = false;        // error with its row: no value is invented,
  options.ignore_extra_columns = false;  // and none is left out
  return options;
}

arrow::csv::ConvertOptions CsvConvertDecisions(const CsvLayout& layout) {
  auto options = arrow::csv::ConvertOptions::Defaults();
  options.check_utf8 = true;  // other bytes are an error, or binary by --cast
  options.column_types
      .clear();  // every column that is read has a type: nothing is guessed
  options.include_columns.clear();
  for (const int column : layout.chosen) {
    const std::string name = std::to_string(column);
    options.include_columns.push_back(name);
    options.column_types[name] = layout.parsed[static_cast<size_t>(column)];
  }
  options.default_column_type = nullptr;  // no such columns
  // Only what is nothing is null: NA is Namibia, and nan is a number.
  options.null_values = layout.dialect.nulls;
  options.true_values = {"1", "true", "True", "TRUE"};
  options.false_values = {"0", "false", "False", "FALSE"};
  options.strings_can_be_null = true;          // an empty field is null,
  options.quoted_strings_can_be_null = false;  // and "" is an empty text
  options.auto_dict_encode = false;
  options.auto_dict_max_cardinality = 50;  // unused without it
  options.decimal_point = '.';
  options.include_missing_columns = false;  // a column that is not there is an error
  options.timestamp_parsers.clear();        // ISO 8601
  return options;
}

// ---- All formats

void TakeExtensionsAsStorage() {
  // Those that Arrow C++ registers itself. It has no list of them.
  for (const char* name : {"arrow.bool8", "arrow.fixed_shape_tensor", "arrow.json",
                           "arrow.opaque", "arrow.parquet.variant", "parquet.variant",
                           "arrow.uuid", "arrow.variable_shape_tensor"}) {
    if (arrow::GetExtensionType(name) == nullptr) continue;
    [[maybe_unused]] const auto status = arrow::UnregisterExtensionType(name);
  }
}

}  // namespace arrowalloy::run
