// SPDX-License-Identifier: MIT
#include "ipc_input.h"

#include <arrow/type.h>

#include <utility>

#include "../arrow_error.h"
#include "alloy/arrow_ipc.hpp"
#include "memory.h"
#include "read_options.h"

namespace arrowalloy::run {
namespace {

using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;

// The chosen columns of batches that have all of them.
class Chosen final : public arrow::RecordBatchReader {
 public:
  Chosen(ReaderPtr all, const std::vector<int>& columns)
      : all_(std::move(all)), columns_(columns) {
    arrow::FieldVector fields;
    for (const int column : columns) fields.push_back(all_->schema()->field(column));
    schema_ = arrow::schema(std::move(fields), all_->schema()->metadata());
  }
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    std::shared_ptr<arrow::RecordBatch> batch;
    out->reset();
    ARROW_RETURN_NOT_OK(all_->ReadNext(&batch));
    if (batch == nullptr) return {};
    arrow::ArrayVector arrays;
    for (const int column : columns_) arrays.push_back(batch->column(column));
    *out = arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(arrays));
    return {};
  }

 private:
  const ReaderPtr all_;
  const std::vector<int> columns_;
  std::shared_ptr<arrow::Schema> schema_;
};

// A stream is validated as a whole, and then columns are left out.
class IpcStream final : public OpenedFile {
 public:
  explicit IpcStream(ReaderPtr reader) : reader_(std::move(reader)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return reader_->schema(); }
  int64_t total_rows() const override { return -1; }
  ReaderPtr Read(const std::vector<int>& columns) override {
    if (columns.empty()) return std::move(reader_);
    return std::make_shared<Chosen>(reader_, columns);
  }

 private:
  ReaderPtr reader_;
};

class IpcFile final : public OpenedFile {
 public:
  IpcFile(std::string path, std::shared_ptr<alloy::arrow::IpcFileReader> reader)
      : path_(std::move(path)), schema_(reader->schema()), reader_(std::move(reader)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  int64_t total_rows() const override { return reader_->total_rows(); }
  ReaderPtr Read(const std::vector<int>& columns) override {
    if (columns.empty()) return reader_;
    auto options = IpcReadDecisions(InputPool());
    options.included_fields = columns;
    if (const auto status = reader_->Select(options); !status.ok()) {
      throw BrokenFile(status, path_);
    }
    return reader_;
  }

 private:
  const std::string path_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<alloy::arrow::IpcFileReader> reader_;
};

}  // namespace

std::unique_ptr<OpenedFile> OpenIpcStream(Source source) {
  return std::make_unique<IpcStream>(
      run::Read(alloy::arrow::ReadIpc(source.ToStream(), IpcReadDecisions(InputPool())),
                source.path()));
}

std::unique_ptr<OpenedFile> OpenIpcFile(Source source) {
  return std::make_unique<IpcFile>(
      source.path(),
      run::Read(alloy::arrow::ReadIpcFile(source.ToFile(), IpcReadDecisions(InputPool())),
                source.path()));
}

}  // namespace arrowalloy::run
