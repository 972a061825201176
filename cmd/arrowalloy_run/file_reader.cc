// SPDX-License-Identifier: MIT
#include "file_reader.h"

#include <arrow/csv/api.h>
#include <arrow/io/api.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/api.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "arrow_error.h"
#include "cast.h"

namespace arrowalloy::run {
namespace {

using Names = std::vector<std::string>;

std::shared_ptr<arrow::io::InputStream> OpenStream(const std::string& path) {
  if (path == "-") return std::make_shared<arrow::io::StdinStream>();
  return Read(arrow::io::ReadableFile::Open(path), path);
}

std::shared_ptr<arrow::io::RandomAccessFile> OpenRandom(const std::string& path) {
  if (path == "-") {
    throw Failure(Exit::kUsage, kUsageCode,
                  "this format can be read only from a file, not from a pipe", "-i -",
                  "pass the path of a file, or send CSV or an Arrow IPC stream");
  }
  return Read(arrow::io::ReadableFile::Open(path), path);
}

bool IsWanted(const Names* columns, const std::string& name) {
  return columns == nullptr || std::ranges::find(*columns, name) != columns->end();
}

// ---- Parquet

void AddLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const auto& child : field.children) AddLeaves(child, leaves);
}

// A reader of batches that keeps its file open.
class ParquetBatches final : public arrow::RecordBatchReader {
 public:
  ParquetBatches(std::unique_ptr<parquet::arrow::FileReader> file,
                 std::unique_ptr<arrow::RecordBatchReader> batches)
      : file_(std::move(file)), batches_(std::move(batches)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    return batches_->ReadNext(batch);
  }

 private:
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
};

FileReader OpenParquet(const InputOptions& options, const Names* columns) {
  // Row groups are read in pieces of 1 MiB, so that memory stays bounded.
  parquet::ReaderProperties file_properties;
  file_properties.enable_buffered_stream();
  file_properties.set_buffer_size(int64_t{1} << 20);
  parquet::ArrowReaderProperties properties(/*use_threads=*/true);
  properties.set_batch_size(options.batch_rows);
  properties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  if (auto status = builder.Open(OpenRandom(options.path), file_properties);
      !status.ok()) {
    throw ReadFailure(status, options.path);
  }
  auto file = Read(builder.properties(properties)->Build(), options.path);
  FileReader opened;
  if (auto status = file->GetSchema(&opened.schema); !status.ok()) {
    throw ReadFailure(status, options.path);
  }
  opened.total_rows = file->parquet_reader()->metadata()->num_rows();
  std::vector<int> groups(static_cast<size_t>(file->num_row_groups()));
  std::iota(groups.begin(), groups.end(), 0);
  std::vector<int> leaves;
  for (const auto& field : file->manifest().schema_fields) {
    if (IsWanted(columns, field.field->name())) AddLeaves(field, &leaves);
  }
  auto batches = Read(file->GetRecordBatchReader(groups, leaves), options.path);
  opened.reader = std::make_shared<ParquetBatches>(std::move(file), std::move(batches));
  return opened;
}

// ---- CSV

FileReader OpenCsv(const InputOptions& options, const Names* columns) {
  auto read = arrow::csv::ReadOptions::Defaults();
  auto convert = arrow::csv::ConvertOptions::Defaults();
  for (const auto& [column, type] : options.casts) {
    convert.column_types[column] = TypeOf(type, column);
  }
  if (columns != nullptr) convert.include_columns = *columns;
  FileReader opened;
  auto reader = Read(arrow::csv::StreamingReader::Make(
                         arrow::io::default_io_context(), OpenStream(options.path), read,
                         arrow::csv::ParseOptions::Defaults(), convert),
                     options.path);
  opened.schema = reader->schema();
  opened.reader = std::move(reader);
  return opened;
}

// ---- Arrow IPC

arrow::ipc::IpcReadOptions IpcOptions(const arrow::Schema& schema, const Names* columns) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  if (columns == nullptr) return options;
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (IsWanted(columns, schema.field(i)->name())) options.included_fields.push_back(i);
  }
  return options;
}

class IpcFileBatches final : public arrow::RecordBatchReader {
 public:
  explicit IpcFileBatches(std::shared_ptr<arrow::ipc::RecordBatchFileReader> file)
      : file_(std::move(file)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return file_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    *batch = nullptr;
    if (next_ == file_->num_record_batches()) return arrow::Status::OK();
    return file_->ReadRecordBatch(next_++).Value(batch);
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
  int next_ = 0;
};

FileReader OpenIpcFile(const InputOptions& options, const Names* columns) {
  auto source = OpenRandom(options.path);
  auto whole = Read(arrow::ipc::RecordBatchFileReader::Open(source), options.path);
  FileReader opened;
  opened.schema = whole->schema();
  opened.total_rows = Read(whole->CountRows(), options.path);
  auto file = columns == nullptr ? whole
                                 : Read(arrow::ipc::RecordBatchFileReader::Open(
                                            source, IpcOptions(*opened.schema, columns)),
                                        options.path);
  opened.reader = std::make_shared<IpcFileBatches>(std::move(file));
  return opened;
}

FileReader OpenIpcStream(const InputOptions& options) {
  // A pipe can be opened only once, so columns are left out after reading.
  FileReader opened;
  opened.reader = Read(
      arrow::ipc::RecordBatchStreamReader::Open(OpenStream(options.path)), options.path);
  opened.schema = opened.reader->schema();
  return opened;
}

}  // namespace

FileReader OpenFile(const InputOptions& options,
                    const std::vector<std::string>* columns) {
  switch (FormatOf(options.path, options.format)) {
    case Format::kParquet:
      return OpenParquet(options, columns);
    case Format::kCsv:
      return OpenCsv(options, columns);
    case Format::kIpcFile:
      return OpenIpcFile(options, columns);
    case Format::kIpcStream:
    case Format::kTable:
      break;
  }
  return OpenIpcStream(options);
}

}  // namespace arrowalloy::run
