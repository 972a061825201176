// SPDX-License-Identifier: MIT
#include "format_writer.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/csv/api.h>
#include <arrow/extension_type.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/thread_pool.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "../arrowalloy/base/failure.h"
#include "../arrowalloy/base/os_error.h"
#include "../arrowalloy/base/report.h"
#include "arrow_error.h"
#include "table_text.h"

namespace arrowalloy::run {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;
using SinkPtr = std::shared_ptr<arrow::io::OutputStream>;
using arrow::Status;

// ---- Every option, decided

arrow::csv::WriteOptions CsvOptions() {
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

arrow::ipc::IpcWriteOptions IpcOptions() {
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

constexpr int64_t kMaxGroupRows = int64_t{1} << 20;
// Arrow has no limit in bytes. Rows of a megabyte would take a terabyte.
constexpr int64_t kMaxGroupBytes = int64_t{256} << 20;

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

// ---- Columns before they are written

// The type in which a column is written to CSV, which holds texts only.
std::shared_ptr<arrow::DataType> CsvTypeOf(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::STRING_VIEW:
      return arrow::large_utf8();
    case arrow::Type::BINARY_VIEW:
      return arrow::large_binary();
    default:
      return type;
  }
}

SchemaPtr CsvSchemaOf(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    fields.push_back(field->WithType(CsvTypeOf(field->type())));
  }
  return arrow::schema(std::move(fields), schema.metadata());
}

constexpr int64_t kDaySeconds = 86400;

template <typename ArrayType, typename Accept>
Status CheckEach(const arrow::Array& column, const char* what, const Accept& accepts) {
  const auto& values = static_cast<const ArrayType&>(column);
  for (int64_t row = 0; row < values.length(); ++row) {
    if (values.IsNull(row) || accepts(values.Value(row))) continue;
    return Status::Invalid(what, ", in row ", row, " of the batch: ", values.Value(row));
  }
  return Status::OK();
}

// Arrow writes a day as year-month-day and drops the rest.
Status CheckWholeDays(const arrow::Array& column) {
  return CheckEach<arrow::Date64Array>(
      column, "a date64 with a time of day, which this format would lose",
      [](int64_t millis) { return millis % (kDaySeconds * 1000) == 0; });
}

// Arrow writes a time with the offset of its place in hours and minutes. The last place whose
// offset had seconds was Liberia, until 1972: such times would move.
Status CheckOffsets(const arrow::Array& column, int64_t per_second) {
  const auto& type = static_cast<const arrow::TimestampType&>(*column.type());
  if (type.timezone().empty() || type.timezone() == "UTC") return Status::OK();
  constexpr int64_t kYearsWithSeconds = int64_t{3} * 365;  // days of 1970 and later
  const auto& times = static_cast<const arrow::TimestampArray&>(column);
  bool old = false;
  for (int64_t row = 0; row < times.length(); ++row) {
    old = old || (times.IsValid(row) &&
                  times.Value(row) / per_second / kDaySeconds < kYearsWithSeconds);
  }
  if (!old) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto texts, arrow::compute::Cast(column, arrow::utf8()));
  ARROW_ASSIGN_OR_RAISE(
      const auto back,
      arrow::compute::Cast(*texts, arrow::timestamp(type.unit(), "UTC")));
  const auto& read = static_cast<const arrow::TimestampArray&>(*back);
  int64_t row = 0;
  return CheckEach<arrow::TimestampArray>(
      column, "a time whose offset to UTC has seconds, which CSV would lose",
      [&](int64_t value) {
        while (read.IsNull(row)) ++row;  // CheckEach leaves nulls out, too
        return read.Value(row++) == value;
      });
}

// Arrow writes "<value out of range>" for years beyond those of its calendar.
constexpr int64_t kMaxDays = int64_t{365} * 30000;

Status CheckCalendar(const arrow::Array& column) {
  constexpr char kFar[] = "a time beyond the years that CSV can hold";
  switch (column.type_id()) {
    case arrow::Type::DATE32:
      return CheckEach<arrow::Date32Array>(
          column, kFar, [](int64_t days) { return std::abs(days) < kMaxDays; });
    case arrow::Type::DATE64:
      return CheckEach<arrow::Date64Array>(column, kFar, [](int64_t millis) {
        return std::abs(millis / (kDaySeconds * 1000)) < kMaxDays;
      });
    case arrow::Type::TIMESTAMP: {
      const auto unit = static_cast<const arrow::TimestampType&>(*column.type()).unit();
      const int64_t per_second = unit == arrow::TimeUnit::SECOND  ? 1
                                 : unit == arrow::TimeUnit::MILLI ? 1000
                                 : unit == arrow::TimeUnit::MICRO ? 1000000
                                                                  : 1000000000;
      ARROW_RETURN_NOT_OK(
          CheckEach<arrow::TimestampArray>(column, kFar, [=](int64_t value) {
            return std::abs(value / per_second / kDaySeconds) < kMaxDays;
          }));
      return CheckOffsets(column, per_second);
    }
    case arrow::Type::TIME32: {
      const auto unit = static_cast<const arrow::Time32Type&>(*column.type()).unit();
      const int64_t day = kDaySeconds * (unit == arrow::TimeUnit::SECOND ? 1 : 1000);
      return CheckEach<arrow::Time32Array>(
          column, "a time that is not within a day",
          [=](int64_t value) { return value >= 0 && value < day; });
    }
    case arrow::Type::TIME64: {
      const auto unit = static_cast<const arrow::Time64Type&>(*column.type()).unit();
      const int64_t day =
          kDaySeconds * (unit == arrow::TimeUnit::MICRO ? 1000000 : 1000000000);
      return CheckEach<arrow::Time64Array>(
          column, "a time that is not within a day",
          [=](int64_t value) { return value >= 0 && value < day; });
    }
    default:
      return Status::OK();
  }
}

// Dates inside of lists and structs too.
Status CheckNested(const arrow::Array& column) {
  if (column.type_id() == arrow::Type::DATE64) return CheckWholeDays(column);
  if (column.type_id() == arrow::Type::EXTENSION) {
    return CheckNested(*static_cast<const arrow::ExtensionArray&>(column).storage());
  }
  for (const auto& child : column.data()->child_data) {
    if (child != nullptr) ARROW_RETURN_NOT_OK(CheckNested(*arrow::MakeArray(child)));
  }
  if (column.data()->dictionary != nullptr) {
    return CheckNested(*arrow::MakeArray(column.data()->dictionary));
  }
  return Status::OK();
}

bool HoldsDate64(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DATE64) return true;
  if (type.id() == arrow::Type::EXTENSION) {
    return HoldsDate64(*static_cast<const arrow::ExtensionType&>(type).storage_type());
  }
  if (type.id() == arrow::Type::DICTIONARY) {
    return HoldsDate64(*static_cast<const arrow::DictionaryType&>(type).value_type());
  }
  return std::ranges::any_of(
      type.fields(), [](const auto& field) { return HoldsDate64(*field->type()); });
}

// ---- The formats

class CsvWriter final : public FormatWriter {
 public:
  static arrow::Result<std::unique_ptr<FormatWriter>> Open(const SinkPtr& sink,
                                                           const SchemaPtr& schema) {
    auto written = CsvSchemaOf(*schema);
    ARROW_ASSIGN_OR_RAISE(auto writer,
                          arrow::csv::MakeCSVWriter(sink, written, CsvOptions()));
    return std::unique_ptr<FormatWriter>(
        new CsvWriter(std::move(writer), std::move(written)));
  }

  Status Write(const arrow::RecordBatch& batch) override {
    arrow::ArrayVector columns;
    for (int i = 0; i < batch.num_columns(); ++i) {
      ArrayPtr column = batch.column(i);
      const auto& type = schema_->field(i)->type();
      if (!column->type()->Equals(*type)) {
        ARROW_ASSIGN_OR_RAISE(column, arrow::compute::Cast(*column, type));
      }
      ARROW_RETURN_NOT_OK(CheckCalendar(*column));
      ARROW_RETURN_NOT_OK(CheckNested(*column));
      columns.push_back(std::move(column));
    }
    return writer_->WriteRecordBatch(
        *arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns)));
  }
  Status Close() override { return writer_->Close(); }

 private:
  CsvWriter(std::shared_ptr<arrow::ipc::RecordBatchWriter> writer, SchemaPtr schema)
      : writer_(std::move(writer)), schema_(std::move(schema)) {}

  const std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
  const SchemaPtr schema_;
};

class IpcWriter final : public FormatWriter {
 public:
  static arrow::Result<std::unique_ptr<FormatWriter>> Open(Format format,
                                                           const SinkPtr& sink,
                                                           const SchemaPtr& schema) {
    auto made = format == Format::kIpcFile
                    ? arrow::ipc::MakeFileWriter(sink, schema, IpcOptions())
                    : arrow::ipc::MakeStreamWriter(sink, schema, IpcOptions());
    ARROW_ASSIGN_OR_RAISE(auto writer, std::move(made));
    return std::unique_ptr<FormatWriter>(new IpcWriter(std::move(writer)));
  }
  Status Write(const arrow::RecordBatch& batch) override {
    return writer_->WriteRecordBatch(batch);
  }
  Status Close() override { return writer_->Close(); }

 private:
  explicit IpcWriter(std::shared_ptr<arrow::ipc::RecordBatchWriter> writer)
      : writer_(std::move(writer)) {}

  const std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

class ParquetWriter final : public FormatWriter {
 public:
  static arrow::Result<std::unique_ptr<FormatWriter>> Open(const SinkPtr& sink,
                                                           const SchemaPtr& schema) {
    ARROW_ASSIGN_OR_RAISE(auto writer, parquet::arrow::FileWriter::Open(
                                           *schema, arrow::default_memory_pool(), sink,
                                           ParquetFileOptions(), ParquetArrowOptions()));
    return std::unique_ptr<FormatWriter>(new ParquetWriter(std::move(writer), *schema));
  }
  Status Write(const arrow::RecordBatch& batch) override {
    for (const int column : dates_) {
      ARROW_RETURN_NOT_OK(CheckNested(*batch.column(column)));
    }
    // A row group is in memory until it is complete.
    ARROW_ASSIGN_OR_RAISE(const int64_t bytes, arrow::util::ReferencedBufferSize(batch));
    if (group_bytes_ > 0 && group_bytes_ + bytes > kMaxGroupBytes) {
      ARROW_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
      group_bytes_ = group_rows_ = 0;
    }
    group_bytes_ += bytes;
    group_rows_ += batch.num_rows();
    if (group_rows_ >= kMaxGroupRows) {
      // The writer begins a row group by itself.
      group_rows_ %= kMaxGroupRows;
      group_bytes_ = group_rows_ == 0 ? 0 : bytes;
    }
    return writer_->WriteRecordBatch(batch);
  }
  Status Close() override { return writer_->Close(); }

 private:
  ParquetWriter(std::unique_ptr<parquet::arrow::FileWriter> writer,
                const arrow::Schema& schema)
      : writer_(std::move(writer)) {
    for (int i = 0; i < schema.num_fields(); ++i) {
      if (HoldsDate64(*schema.field(i)->type())) dates_.push_back(i);
    }
  }

  const std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::vector<int> dates_;  // columns in which a time of day could be lost
  int64_t group_rows_ = 0, group_bytes_ = 0;  // of the row group that is being written
};

class TableWriter final : public FormatWriter {
 public:
  TableWriter(SinkPtr sink, const SchemaPtr& schema)
      : sink_(std::move(sink)), table_(schema) {}

  Status Write(const arrow::RecordBatch& batch) override {
    table_.Add(batch);
    return Status::OK();
  }
  Status Close() override {
    const std::string text = table_.ToText();
    return sink_->Write(text.data(), static_cast<int64_t>(text.size()));
  }

 private:
  const SinkPtr sink_;
  TableText table_;
};

arrow::Result<std::unique_ptr<FormatWriter>> Open(Format format, const SinkPtr& sink,
                                                  const SchemaPtr& schema) {
  switch (format) {
    case Format::kParquet:
      return ParquetWriter::Open(sink, schema);
    case Format::kCsv:
      return CsvWriter::Open(sink, schema);
    case Format::kIpcFile:
    case Format::kIpcStream:
      return IpcWriter::Open(format, sink, schema);
    case Format::kTable:
      break;
  }
  return std::make_unique<TableWriter>(sink, schema);
}

const char* HelpOf(Format format) {
  switch (format) {
    case Format::kCsv:
      return "write .parquet, .arrow or .arrows, which hold more types; or let the "
             "function "
             "return another type";
    case Format::kParquet:
      return "write .arrow or .arrows, which hold every type; or let the function return "
             "another type";
    case Format::kIpcFile:
      return "write .arrows: a stream may replace dictionaries, a file may not";
    default:
      return "let the function return another type";
  }
}

// Does a column alone have this error? Arrow's errors name types, not columns.
Status TryColumn(Format format, const arrow::Field& field, const ArrayPtr& column) {
  const auto sink = std::make_shared<arrow::io::MockOutputStream>();
  const auto schema = arrow::schema({field.Copy()});
  ARROW_ASSIGN_OR_RAISE(auto writer, Open(format, sink, schema));
  if (column == nullptr) return Status::OK();
  ARROW_RETURN_NOT_OK(
      writer->Write(*arrow::RecordBatch::Make(schema, column->length(), {column})));
  return writer->Close();
}

Failure ColumnFailure(Format format, const arrow::Field& field, const std::string& why,
                      const std::string& path) {
  return Failure(Exit::kMachine, kFormatCode,
                 fmt::format("column {} of type {} cannot be written as {}: {}",
                             field.name(), field.type()->ToString(), NameOf(format), why),
                 OutputName(path), HelpOf(format));
}

// The failure of the column that is to blame for the error of a schema or a batch.
std::optional<Failure> FindColumn(Format format, const arrow::Schema& schema,
                                  const arrow::RecordBatch* batch,
                                  const std::string& path) {
  for (int i = 0; i < schema.num_fields(); ++i) {
    const auto& field = *schema.field(i);
    const auto status =
        TryColumn(format, field, batch == nullptr ? nullptr : batch->column(i));
    if (!status.ok()) return ColumnFailure(format, field, status.message(), path);
  }
  return std::nullopt;
}

// Finds the column that is to blame for an error.
class NamingWriter final : public FormatWriter {
 public:
  NamingWriter(Format format, const SinkPtr& sink, const SchemaPtr& schema,
               std::string path)
      : format_(format), schema_(schema), path_(std::move(path)) {
    auto opened = Open(format, sink, schema);
    if (opened.ok()) {
      writer_ = std::move(opened).ValueUnsafe();
      return;
    }
    if (auto failure = FindColumn(format, *schema, nullptr, path_)) {
      throw Failure(std::move(*failure));
    }
    throw WriteFailure(opened.status(), path_);
  }

  Status Write(const arrow::RecordBatch& batch) override {
    auto status = writer_->Write(batch);
    if (status.ok()) {
      rows_ += batch.num_rows();
      if (format_ == Format::kIpcFile && first_ == nullptr)
        first_ = DictionariesOf(batch);
    }
    // Otherwise no column is to blame.
    if (status.ok() || status.IsOutOfMemory() ||
        arrow::internal::ErrnoFromStatus(status) != 0) {
      return status;
    }
    if (auto failure = FindColumn(format_, *schema_, &batch, path_)) {
      failure->text += fmt::format(" (the batch begins at row {} of the result)", rows_);
      throw Failure(std::move(*failure));
    }
    // Alone the batch is fine: its dictionaries are not those of the first batch.
    const auto now = DictionariesOf(batch);
    for (size_t i = 0; first_ != nullptr && i < now->size(); ++i) {
      if ((*now)[i] == nullptr || (*now)[i]->Equals(*(*first_)[i])) continue;
      throw ColumnFailure(format_, *schema_->field(static_cast<int>(i)), status.message(),
                          path_);
    }
    return status;
  }
  Status Close() override { return writer_->Close(); }

 private:
  // One for each column; NULL: it has none.
  using Dictionaries = std::vector<ArrayPtr>;
  static std::unique_ptr<Dictionaries> DictionariesOf(const arrow::RecordBatch& batch) {
    auto found = std::make_unique<Dictionaries>();
    for (const auto& column : batch.columns()) {
      const auto& data = column->data()->dictionary;
      found->push_back(data == nullptr ? nullptr : arrow::MakeArray(data));
    }
    return found;
  }

  const Format format_;
  const SchemaPtr schema_;
  const std::string path_;
  std::unique_ptr<FormatWriter> writer_;
  int64_t rows_ = 0;                     // written
  std::unique_ptr<Dictionaries> first_;  // of the first batch, which a file keeps
};

}  // namespace

std::unique_ptr<FormatWriter> MakeWriter(Format format, const SinkPtr& sink,
                                         const SchemaPtr& schema,
                                         const std::string& path) {
  if (schema->num_fields() == 0 &&
      (format == Format::kCsv || format == Format::kParquet)) {
    throw Failure(
        Exit::kMachine, kFormatCode,
        fmt::format("a result without columns cannot be written as {}: its rows "
                    "would be lost",
                    NameOf(format)),
        OutputName(path), HelpOf(format));
  }
  return std::make_unique<NamingWriter>(format, sink, schema, path);
}

std::vector<std::string> LossesOf(Format format, const arrow::Schema& schema) {
  std::vector<std::string> losses;
  if (format != Format::kCsv) return losses;
  for (const auto& field : schema.fields()) {
    if (field->type()->id() != arrow::Type::DURATION) continue;
    losses.push_back(fmt::format(
        "column {}: CSV holds a duration as a number; its unit {} is not in the file",
        Harmless(field->name()), field->type()->ToString()));
  }
  return losses;
}

}  // namespace arrowalloy::run
