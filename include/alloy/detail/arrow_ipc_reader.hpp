// SPDX-License-Identifier: MIT
//
// A reader of an Arrow IPC stream that knows whether the stream ended properly.
//
// Threads  serial.
#ifndef ALLOY_DETAIL_ARROW_IPC_READER_HPP_
#define ALLOY_DETAIL_ARROW_IPC_READER_HPP_

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "alloy/detail/arrow_ipc_claims.hpp"

namespace alloy::arrow::detail {

// Counts the bytes that are read, and notes whether the stream had too few.
class IpcTap final : public ::arrow::io::InputStream {
 public:
  IpcTap(std::shared_ptr<::arrow::io::InputStream> stream, ::arrow::MemoryPool* pool)
      : stream_(std::move(stream)), pool_(pool) {}

  ::arrow::Status Close() override { return stream_->Close(); }
  bool closed() const override { return stream_->closed(); }
  ::arrow::Result<int64_t> Tell() const override { return read_; }
  ::arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t n, stream_->Read(nbytes, out));
    Pass(nbytes, n);
    return n;
  }
  ::arrow::Result<std::shared_ptr<::arrow::Buffer>> Read(int64_t nbytes) override {
    if (nbytes <= kAtOnce || stream_->supports_zero_copy()) {
      ARROW_ASSIGN_OR_RAISE(auto buffer, stream_->Read(nbytes));
      Pass(nbytes, buffer->size());
      return buffer;
    }
    // The size is a claim of the stream. Allocate in proportion to what really comes.
    ARROW_ASSIGN_OR_RAISE(auto buffer, ::arrow::AllocateResizableBuffer(kAtOnce, pool_));
    int64_t have = 0;
    while (have < nbytes) {
      const int64_t want = std::min(nbytes - have, std::max(have, kAtOnce));
      ARROW_RETURN_NOT_OK(buffer->Resize(have + want, /*shrink_to_fit=*/false));
      ARROW_ASSIGN_OR_RAISE(const int64_t n,
                            stream_->Read(want, buffer->mutable_data() + have));
      have += n;
      if (n < want) break;
    }
    ARROW_RETURN_NOT_OK(buffer->Resize(have));
    Pass(nbytes, have);
    return std::shared_ptr<::arrow::Buffer>(std::move(buffer));
  }

  int64_t read() const { return read_; }
  // Whether a read got too few bytes. This does not happen at an end marker, because
  // Arrow reads nothing after it.
  bool dry() const { return dry_; }

 private:
  static constexpr int64_t kAtOnce = int64_t{64} << 20;

  void Pass(int64_t asked, int64_t n) {
    read_ += n;
    dry_ = dry_ || n < asked;
  }

  const std::shared_ptr<::arrow::io::InputStream> stream_;
  ::arrow::MemoryPool* const pool_;
  int64_t read_ = 0;
  bool dry_ = false;
};

// The messages of a stream, each with checked claims.
class IpcMessages final : public ::arrow::ipc::MessageReader {
 public:
  explicit IpcMessages(const std::shared_ptr<::arrow::io::InputStream>& stream)
      : messages_(::arrow::ipc::MessageReader::Open(stream)) {}
  ::arrow::Result<std::unique_ptr<::arrow::ipc::Message>> ReadNextMessage() override {
    ARROW_ASSIGN_OR_RAISE(auto message, messages_->ReadNextMessage());
    if (message != nullptr) ARROW_RETURN_NOT_OK(CheckClaims(*message));
    return message;
  }

 private:
  const std::unique_ptr<::arrow::ipc::MessageReader> messages_;
};

// Arrow lets std::bad_alloc pass where it fills containers of its own.
template <typename F>
::arrow::Status CatchNoMemory(F&& read) {
  try {
    return std::forward<F>(read)();
  } catch (const std::bad_alloc&) {
    return ::arrow::Status::OutOfMemory("no memory is left");
  }
}

class IpcReader final : public ::arrow::RecordBatchReader {
 public:
  static ::arrow::Result<std::shared_ptr<::arrow::RecordBatchReader>> Open(
      std::shared_ptr<::arrow::io::InputStream> stream,
      const ::arrow::ipc::IpcReadOptions& options) {
    auto reader = std::make_shared<IpcReader>(std::move(stream), options.memory_pool);
    const auto opened = CatchNoMemory([&]() -> ::arrow::Status {
      return ::arrow::ipc::RecordBatchStreamReader::Open(
                 std::make_unique<IpcMessages>(reader->tap_), options)
          .Value(&reader->reader_);
    });
    if (!opened.ok()) return reader->Broken("the schema", opened);
    return reader;
  }

  IpcReader(std::shared_ptr<::arrow::io::InputStream> stream, ::arrow::MemoryPool* pool)
      : tap_(std::make_shared<IpcTap>(std::move(stream), pool)) {}

  std::shared_ptr<::arrow::Schema> schema() const override { return reader_->schema(); }

  ::arrow::Status ReadNext(std::shared_ptr<::arrow::RecordBatch>* batch) override {
    batch->reset();
    if (!failure_.ok() || ended_) return failure_;
    begin_ = tap_->read();
    std::shared_ptr<::arrow::RecordBatch> next;
    ::arrow::Status status = CatchNoMemory([&] { return ReadChecked(&next); });
    if (!status.ok()) {
      return failure_ = Broken("batch " + std::to_string(batches_), status);
    }
    ended_ = next == nullptr;
    ++batches_;
    *batch = std::move(next);
    return status;
  }

 private:
  ::arrow::Status ReadChecked(std::shared_ptr<::arrow::RecordBatch>* next) const {
    ARROW_RETURN_NOT_OK(reader_->ReadNext(next));
    // Check here, where the sizes of the buffers are known: a backend gets addresses
    // only.
    if (*next != nullptr) return (*next)->ValidateFull();
    if (!tap_->dry()) return {};
    return ::arrow::Status::IOError(
        "the stream ends without its end marker; its writer may have failed");
  }

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
