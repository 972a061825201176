// SPDX-License-Identifier: MIT
//
// A reader of an Arrow IPC stream that knows whether the stream ended properly.
//
// Threads  serial.
#ifndef ALLOY_DETAIL_ARROW_IPC_READER_HPP_
#define ALLOY_DETAIL_ARROW_IPC_READER_HPP_

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace alloy::arrow::detail {

// Counts the bytes that are read, and notes whether the stream had too few.
class IpcTap final : public ::arrow::io::InputStream {
 public:
  explicit IpcTap(std::shared_ptr<::arrow::io::InputStream> stream)
      : stream_(std::move(stream)) {}

  ::arrow::Status Close() override { return stream_->Close(); }
  bool closed() const override { return stream_->closed(); }
  ::arrow::Result<int64_t> Tell() const override { return read_; }
  ::arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t n, stream_->Read(nbytes, out));
    Pass(nbytes, n);
    return n;
  }
  ::arrow::Result<std::shared_ptr<::arrow::Buffer>> Read(int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, stream_->Read(nbytes));
    Pass(nbytes, buffer->size());
    return buffer;
  }

  int64_t read() const { return read_; }
  // Whether a read got too few bytes. This does not happen at an end marker, because
  // Arrow reads nothing after it.
  bool dry() const { return dry_; }

 private:
  void Pass(int64_t asked, int64_t n) {
    read_ += n;
    dry_ = dry_ || n < asked;
  }

  const std::shared_ptr<::arrow::io::InputStream> stream_;
  int64_t read_ = 0;
  bool dry_ = false;
};

class IpcReader final : public ::arrow::RecordBatchReader {
 public:
  static ::arrow::Result<std::shared_ptr<::arrow::RecordBatchReader>> Open(
      std::shared_ptr<::arrow::io::InputStream> stream,
      const ::arrow::ipc::IpcReadOptions& options) {
    auto reader = std::make_shared<IpcReader>(std::move(stream));
    auto opened = ::arrow::ipc::RecordBatchStreamReader::Open(reader->tap_, options);
    if (!opened.ok()) return reader->Broken("the schema", opened.status());
    reader->reader_ = opened.MoveValueUnsafe();
    return reader;
  }

  explicit IpcReader(std::shared_ptr<::arrow::io::InputStream> stream)
      : tap_(std::make_shared<IpcTap>(std::move(stream))) {}

  std::shared_ptr<::arrow::Schema> schema() const override { return reader_->schema(); }

  ::arrow::Status ReadNext(std::shared_ptr<::arrow::RecordBatch>* batch) override {
    batch->reset();
    if (!failure_.ok() || ended_) return failure_;
    begin_ = tap_->read();
    std::shared_ptr<::arrow::RecordBatch> next;
    ::arrow::Status status = reader_->ReadNext(&next);
    if (status.ok() && next == nullptr && tap_->dry()) {
      status = ::arrow::Status::IOError(
          "the stream ends without its end marker; its writer may have failed");
    }
    // Check here, where the sizes of the buffers are known: a backend gets addresses
    // only.
    if (status.ok() && next != nullptr) status = next->ValidateFull();
    if (!status.ok()) {
      return failure_ = Broken("batch " + std::to_string(batches_), status);
    }
    ended_ = next == nullptr;
    ++batches_;
    *batch = std::move(next);
    return status;
  }

 private:
  ::arrow::Status Broken(const std::string& what, const ::arrow::Status& status) const {
    return status.WithMessage("Arrow IPC stream: ", what, ", in what begins at byte ",
                              begin_, ", ", tap_->read(),
                              " bytes read: ", status.message());
  }

  const std::shared_ptr<IpcTap> tap_;
  std::shared_ptr<::arrow::RecordBatchReader> reader_;
  ::arrow::Status failure_;
  bool ended_ = false;
  int64_t begin_ = 0;
  int64_t batches_ = 0;
};

}  // namespace alloy::arrow::detail

#endif  // ALLOY_DETAIL_ARROW_IPC_READER_HPP_
