// SPDX-License-Identifier: MIT
//
// A reader of an Arrow IPC file that believes no size before it has checked it.
//
// Threads  serial.
#ifndef ALLOY_DETAIL_ARROW_IPC_FILE_READER_HPP_
#define ALLOY_DETAIL_ARROW_IPC_FILE_READER_HPP_

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alloy/detail/arrow_ipc_claims.hpp"
#include "alloy/detail/arrow_ipc_reader.hpp"

namespace alloy::arrow::detail {

// A file of which nobody reads, or allocates, more than there is.
class BoundedFile final : public ::arrow::io::RandomAccessFile {
 public:
  BoundedFile(std::shared_ptr<::arrow::io::RandomAccessFile> file, int64_t size)
      : file_(std::move(file)), size_(size) {}

  ::arrow::Status Close() override { return file_->Close(); }
  bool closed() const override { return file_->closed(); }
  ::arrow::Result<int64_t> Tell() const override { return at_; }
  ::arrow::Status Seek(int64_t position) override {
    at_ = position;
    return {};
  }
  ::arrow::Result<int64_t> GetSize() override { return size_; }
  bool supports_zero_copy() const override { return file_->supports_zero_copy(); }
  ::arrow::Result<int64_t> ReadAt(int64_t at, int64_t nbytes, void* out) override {
    return file_->ReadAt(at, Within(at, nbytes), out);
  }
  ::arrow::Result<std::shared_ptr<::arrow::Buffer>> ReadAt(int64_t at,
                                                           int64_t nbytes) override {
    return file_->ReadAt(at, Within(at, nbytes));
  }
  ::arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t n, ReadAt(at_, nbytes, out));
    at_ += n;
    return n;
  }
  ::arrow::Result<std::shared_ptr<::arrow::Buffer>> Read(int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(at_, nbytes));
    at_ += buffer->size();
    return buffer;
  }

 private:
  // A negative position or size stays, and the file refuses it.
  int64_t Within(int64_t at, int64_t nbytes) const {
    return at < 0 ? nbytes : std::min(nbytes, std::max<int64_t>(0, size_ - at));
  }

  const std::shared_ptr<::arrow::io::RandomAccessFile> file_;
  const int64_t size_;
  int64_t at_ = 0;
};

// File.fbs: where a message of the file is.
struct IpcBlock {
  int64_t offset = 0;
  int32_t metadata_length = 0;
  int32_t padding = 0;
  int64_t body_length = 0;
};

class IpcFileReader final : public ::arrow::RecordBatchReader {
 public:
  static ::arrow::Result<std::shared_ptr<IpcFileReader>> Open(
      const std::shared_ptr<::arrow::io::RandomAccessFile>& file,
      const ::arrow::ipc::IpcReadOptions& options) {
    auto reader = std::make_shared<IpcFileReader>();
    const auto status = CatchNoMemory([&] { return reader->Begin(file, options); });
    if (!status.ok()) return Broken("the schema and the list of batches", status);
    return reader;
  }

  std::shared_ptr<::arrow::Schema> schema() const override { return reader_->schema(); }
  // Of all batches.
  int64_t total_rows() const { return total_rows_; }
  // Read with other options: the fields of a file are known only when it is open.
  ::arrow::Status Select(const ::arrow::ipc::IpcReadOptions& options) {
    ARROW_ASSIGN_OR_RAISE(reader_,
                          ::arrow::ipc::RecordBatchFileReader::Open(file_, options));
    return {};
  }

  ::arrow::Status ReadNext(std::shared_ptr<::arrow::RecordBatch>* batch) override {
    batch->reset();
    if (!failure_.ok() || next_ == batches_.size()) return failure_;
    std::shared_ptr<::arrow::RecordBatch> read;
    ::arrow::Status status = CatchNoMemory([&] { return ReadChecked(&read); });
    if (!status.ok()) {
      return failure_ = Broken("batch " + std::to_string(next_), status);
    }
    ++next_;
    *batch = std::move(read);
    return status;
  }

 private:
  ::arrow::Status Begin(const std::shared_ptr<::arrow::io::RandomAccessFile>& file,
                        const ::arrow::ipc::IpcReadOptions& options) {
    ARROW_ASSIGN_OR_RAISE(size_, file->GetSize());
    file_ = std::make_shared<BoundedFile>(file, size_);
    // It checks the marks at both ends and the structure of the footer.
    ARROW_RETURN_NOT_OK(Select(options));
    ARROW_RETURN_NOT_OK(ReadFooter());
    for (const IpcBlock& block : batches_) {
      ARROW_ASSIGN_OR_RAISE(const auto message, MetadataOf(block));
      const int64_t rows = IpcLayout::Of(*message).rows;
      if (rows < 0 || rows > INT64_MAX - total_rows_) {
        return ::arrow::Status::Invalid("a batch claims ", rows, " rows");
      }
      total_rows_ += rows;
    }
    return {};
  }

  ::arrow::Status ReadFooter() {
    constexpr int64_t kTail = 10;  // the length of the footer and ARROW1
    int32_t length = 0;
    ARROW_ASSIGN_OR_RAISE(const auto tail, file_->ReadAt(size_ - kTail, kTail));
    if (tail->size() < kTail) return ::arrow::Status::Invalid("the file is too short");
    std::memcpy(&length, tail->data(), sizeof length);
    ARROW_ASSIGN_OR_RAISE(const auto bytes,
                          file_->ReadAt(size_ - kTail - length, length));
    const auto footer =
        FlatTable::Root({bytes->data(), static_cast<size_t>(bytes->size())});
    Blocks(footer.Vector(2, sizeof(IpcBlock)), &dictionaries_);
    Blocks(footer.Vector(3, sizeof(IpcBlock)), &batches_);
    if (static_cast<int>(batches_.size()) == reader_->num_record_batches()) return {};
    return ::arrow::Status::Invalid("the list of batches is malformed");
  }

  static void Blocks(std::span<const uint8_t> raw, std::vector<IpcBlock>* blocks) {
    blocks->resize(raw.size() / sizeof(IpcBlock));
    if (!raw.empty()) std::memcpy(blocks->data(), raw.data(), raw.size());
  }

  // A message without its body.
  ::arrow::Result<std::unique_ptr<::arrow::ipc::Message>> MetadataOf(
      const IpcBlock& block) const {
    if (block.offset < 0 || block.metadata_length < 8 || block.body_length < 0) {
      return ::arrow::Status::Invalid("a block of the file has a negative size");
    }
    ARROW_ASSIGN_OR_RAISE(const auto bytes,
                          file_->ReadAt(block.offset, block.metadata_length));
    if (bytes->size() < block.metadata_length ||
        block.body_length > size_ - block.offset - block.metadata_length) {
      return ::arrow::Status::IOError("a block that begins at byte ", block.offset,
                                      " goes beyond the end of the file");
    }
    // Before version 0.15, a message had no mark in front of its length.
    int32_t mark = 0;
    std::memcpy(&mark, bytes->data(), sizeof mark);
    return ::arrow::ipc::Message::Open(::arrow::SliceBuffer(bytes, mark == -1 ? 8 : 4),
                                       nullptr);
  }

  ::arrow::Status CheckBlock(const IpcBlock& block) const {
    ARROW_ASSIGN_OR_RAISE(const auto message, MetadataOf(block));
    const IpcLayout layout = IpcLayout::Of(*message);
    for (size_t i = 0; i < layout.buffers.size(); ++i) {
      const auto [offset, length] = layout.buffers[i];
      // Arrow itself refuses ranges outside the body.
      if (length < 8 || offset < 0 || offset > block.body_length - 8) continue;
      int64_t claim = 0;
      ARROW_ASSIGN_OR_RAISE(const int64_t n,
                            file_->ReadAt(block.offset + block.metadata_length + offset,
                                          sizeof claim, &claim));
      if (n == sizeof claim) ARROW_RETURN_NOT_OK(layout.CheckClaim(i, claim));
    }
    return {};
  }

  ::arrow::Status ReadChecked(std::shared_ptr<::arrow::RecordBatch>* batch) {
    // Arrow reads all dictionaries before the first batch.
    if (next_ == 0) {
      for (const IpcBlock& block : dictionaries_) ARROW_RETURN_NOT_OK(CheckBlock(block));
    }
    ARROW_RETURN_NOT_OK(CheckBlock(batches_[next_]));
    ARROW_RETURN_NOT_OK(reader_->ReadRecordBatch(static_cast<int>(next_)).Value(batch));
    return (*batch)->ValidateFull();
  }

  static ::arrow::Status Broken(const std::string& what, const ::arrow::Status& status) {
    return status.WithMessage("Arrow IPC file: ", what, ": ", status.message());
  }

  std::shared_ptr<BoundedFile> file_;
  int64_t size_ = 0;
  std::shared_ptr<::arrow::ipc::RecordBatchFileReader> reader_;
  std::vector<IpcBlock> dictionaries_, batches_;
  int64_t total_rows_ = 0;
  size_t next_ = 0;
  ::arrow::Status failure_;
};

}  // namespace alloy::arrow::detail

#endif  // ALLOY_DETAIL_ARROW_IPC_FILE_READER_HPP_
