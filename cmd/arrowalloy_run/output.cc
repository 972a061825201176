// SPDX-License-Identifier: MIT
#include "output.h"

#include <arrow/csv/api.h>
#include <arrow/io/api.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/api.h>
#include <fcntl.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "arrow_error.h"
#include "format.h"
#include "table_text.h"

namespace arrowalloy::run {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;
using SinkPtr = std::shared_ptr<arrow::io::OutputStream>;

// The name of the unfinished file. It is in the same folder, so that it can be renamed.
std::string PartOf(const std::string& path) {
  const std::filesystem::path whole(path);
  const auto name =
      "." + whole.filename().string() + "." + std::to_string(getpid()) + ".part";
  return (whole.parent_path() / name).string();
}

// A sink that becomes the output file when it is finished.
class Destination {
 public:
  explicit Destination(const std::string& path) : path_(path) {
    if (path == "-") {
      sink_ = std::make_shared<arrow::io::StdoutStream>();
      return;
    }
    part_ = PartOf(path);
    sink_ = run::Write(arrow::io::FileOutputStream::Open(part_), path);
  }
  ~Destination() { Abandon(); }
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;

  const SinkPtr& sink() const { return sink_; }
  const std::string& path() const { return path_; }

  void Finish() {
    Check(sink_->Flush());
    if (path_ == "-") return;
    Check(sink_->Close());
    // On the disk before it gets its name: after a power cut there is no half file.
    const int fd = open(part_.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) close(fd);
    if (!synced) throw CannotWrite(error);
    if (settled_.exchange(true)) return;  // the signal thread removed it
    if (std::rename(part_.c_str(), path_.c_str()) != 0) throw CannotWrite(errno);
  }

  void Abandon() noexcept {
    if (part_.empty() || settled_.exchange(true)) return;
    unlink(part_.c_str());
  }

  void Check(const arrow::Status& status) const {
    if (!status.ok()) throw WriteFailure(status, path_);
  }

 private:
  Failure CannotWrite(int error) const {
    return WriteFailure(arrow::Status::IOError(std::generic_category().message(error)),
                        path_);
  }

  const std::string path_;
  std::string part_;  // empty: standard output
  SinkPtr sink_;
  std::atomic<bool> settled_{false};  // renamed or removed
};

// An output with one destination.
class OneOutput : public Output {
 public:
  explicit OneOutput(const std::string& path) : destination_(path) {}
  void Abandon() noexcept final { destination_.Abandon(); }

 protected:
  Destination destination_;
};

// A format with a batch writer in Arrow.
class BatchOutput final : public OneOutput {
 public:
  using Make = arrow::Result<std::shared_ptr<arrow::ipc::RecordBatchWriter>> (*)(
      const SinkPtr&, const SchemaPtr&);

  BatchOutput(const std::string& path, const SchemaPtr& schema, Make make)
      : OneOutput(path), writer_(run::Write(make(destination_.sink(), schema), path)) {}

  void Write(const BatchPtr& batch) override {
    destination_.Check(writer_->WriteRecordBatch(*batch));
    // The reader of a pipe gets each batch at once.
    if (destination_.path() == "-") destination_.Check(destination_.sink()->Flush());
  }
  void Finish() override {
    destination_.Check(writer_->Close());
    destination_.Finish();
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

class ParquetOutput final : public OneOutput {
 public:
  ParquetOutput(const std::string& path, const SchemaPtr& schema)
      : OneOutput(path),
        writer_(run::Write(
            parquet::arrow::FileWriter::Open(
                *schema, arrow::default_memory_pool(), destination_.sink(),
                parquet::default_writer_properties(),
                parquet::ArrowWriterProperties::Builder().store_schema()->build()),
            path)) {}

  void Write(const BatchPtr& batch) override {
    destination_.Check(writer_->WriteRecordBatch(*batch));
  }
  void Finish() override {
    destination_.Check(writer_->Close());
    destination_.Finish();
  }

 private:
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
};

class TableOutput final : public OneOutput {
 public:
  TableOutput(const std::string& path, const SchemaPtr& schema)
      : OneOutput(path), table_(schema) {}

  void Write(const BatchPtr& batch) override { table_.Add(*batch); }
  void Finish() override {
    const std::string text = table_.ToText();
    destination_.Check(
        destination_.sink()->Write(text.data(), static_cast<int64_t>(text.size())));
    destination_.Finish();
  }

 private:
  TableText table_;
};

}  // namespace

std::unique_ptr<Output> OpenOutput(const OutputOptions& options,
                                   const SchemaPtr& schema) {
  switch (FormatOf(options.path, options.format)) {
    case Format::kParquet:
      return std::make_unique<ParquetOutput>(options.path, schema);
    case Format::kCsv:
      return std::make_unique<BatchOutput>(options.path, schema,
                                           [](const SinkPtr& sink, const SchemaPtr& of) {
                                             return arrow::csv::MakeCSVWriter(sink, of);
                                           });
    case Format::kIpcFile:
      return std::make_unique<BatchOutput>(options.path, schema,
                                           [](const SinkPtr& sink, const SchemaPtr& of) {
                                             return arrow::ipc::MakeFileWriter(sink, of);
                                           });
    case Format::kIpcStream:
      return std::make_unique<BatchOutput>(
          options.path, schema, [](const SinkPtr& sink, const SchemaPtr& of) {
            return arrow::ipc::MakeStreamWriter(sink, of);
          });
    case Format::kTable:
      break;
  }
  return std::make_unique<TableOutput>(options.path, schema);
}

}  // namespace arrowalloy::run
