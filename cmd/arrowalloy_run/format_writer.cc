// SPDX-License-Identifier: MIT
#include "format_writer.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/csv/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>

#include <optional>
#include <utility>

#include "../arrowalloy/base/failure.h"
#include "../arrowalloy/base/os_error.h"
#include "../arrowalloy/base/report.h"
#include "arrow_error.h"
#include "column_checks.h"
#include "table_text.h"
#include "write_options.h"

namespace arrowalloy::run {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;
using SinkPtr = std::shared_ptr<arrow::io::OutputStream>;
using arrow::Status;

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

class CsvWriter final : public FormatWriter {
 public:
  static arrow::Result<std::unique_ptr<FormatWriter>> Open(const SinkPtr& sink,
                                                           const SchemaPtr& schema) {
    auto written = CsvSchemaOf(*schema);
    ARROW_ASSIGN_OR_RAISE(auto writer,
                          arrow::csv::MakeCSVWriter(sink, written, CsvWriteOptions()));
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
      ARROW_RETURN_NOT_OK(CheckDates(*column));
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
                    ? arrow::ipc::MakeFileWriter(sink, schema, IpcWriteOptions())
                    : arrow::ipc::MakeStreamWriter(sink, schema, IpcWriteOptions());
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
      ARROW_RETURN_NOT_OK(CheckDates(*batch.column(column)));
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
             "function return another type";
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
