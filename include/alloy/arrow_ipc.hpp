// SPDX-License-Identifier: MIT
//
// Arrow IPC streams as bytes, over Apache Arrow C++: in from a file, a pipe or a socket,
// and out to one, batch by batch.
//
//   auto reader = alloy::arrow::ReadIpc(input);
//   if (reader.ok()) status = alloy::arrow::WriteIpc(**reader, *output);
//
// Reach for it rather than for Arrow's own reader and writer where the other side may
// fail: a broken stream is an error that says where, one that was cut off is no early
// end, and an error of the batches' source leaves the output without its end marker. For
// streams that never have one, there is Arrow's RecordBatchStreamReader.
//
// Threads  a reader is serial.
#ifndef ALLOY_ARROW_IPC_HPP_
#define ALLOY_ARROW_IPC_HPP_

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace alloy::arrow {

// Bytes of a C file, such as stdin, a pipe of popen or a socket behind fdopen: Arrow's
// own ReadableFile is for what can be sought in.
class FileInput final : public ::arrow::io::InputStream {
 public:
  // Borrows file, as long as this lives.
  explicit FileInput(std::FILE* file) : file_(file) {}

  ::arrow::Status Close() override {
    closed_ = true;
    return {};
  }
  bool closed() const override { return closed_; }
  ::arrow::Result<int64_t> Tell() const override { return read_; }
  ::arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    errno = 0;
    const size_t n = std::fread(out, 1, static_cast<size_t>(nbytes), file_);
    read_ += static_cast<int64_t>(n);
    if (n < static_cast<size_t>(nbytes) && std::ferror(file_) != 0) {
      return ::arrow::Status::IOError("cannot read: ", std::strerror(errno));
    }
    return static_cast<int64_t>(n);
  }
  ::arrow::Result<std::shared_ptr<::arrow::Buffer>> Read(int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ::arrow::AllocateResizableBuffer(nbytes));
    ARROW_ASSIGN_OR_RAISE(const int64_t n, Read(nbytes, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(n, /*shrink_to_fit=*/false));
    return std::shared_ptr<::arrow::Buffer>(std::move(buffer));
  }

 private:
  std::FILE* const file_;
  int64_t read_ = 0;
  bool closed_ = false;
};

// The other way.
class FileOutput final : public ::arrow::io::OutputStream {
 public:
  // Borrows file, as long as this lives.
  explicit FileOutput(std::FILE* file) : file_(file) {}

  ::arrow::Status Close() override {
    closed_ = true;
    return Flush();
  }
  bool closed() const override { return closed_; }
  ::arrow::Result<int64_t> Tell() const override { return written_; }
  using ::arrow::io::OutputStream::Write;
  ::arrow::Status Write(const void* data, int64_t nbytes) override {
    errno = 0;
    const size_t n = std::fwrite(data, 1, static_cast<size_t>(nbytes), file_);
    written_ += static_cast<int64_t>(n);
    return n == static_cast<size_t>(nbytes) ? ::arrow::Status() : Failed();
  }
  ::arrow::Status Flush() override {
    errno = 0;
    return std::fflush(file_) == 0 ? ::arrow::Status() : Failed();
  }

 private:
  static ::arrow::Status Failed() {
    return ::arrow::Status::IOError("cannot write: ", std::strerror(errno));
  }

  std::FILE* const file_;
  int64_t written_ = 0;
  bool closed_ = false;
};

namespace detail {

// Knows how far a stream was read, and whether it had no more.
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
  // Whether more was asked for than there is: not so at an end marker, behind which Arrow
  // asks for nothing.
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
          "it ends without its end marker, as if its writer had failed");
    }
    // The sizes of the buffers are known here, and to nobody who has their addresses.
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

}  // namespace detail

// Read a stream, as WriteIpc writes it: batch by batch when they are asked for, and no
// byte beyond its end marker. An error says in which batch and at which byte, keeps the
// code of its cause, and repeats.
//
//   Shares   stream, until the reader is gone.
inline ::arrow::Result<std::shared_ptr<::arrow::RecordBatchReader>> ReadIpc(
    std::shared_ptr<::arrow::io::InputStream> stream,
    const ::arrow::ipc::IpcReadOptions& options =
        ::arrow::ipc::IpcReadOptions::Defaults()) {
  return detail::IpcReader::Open(std::move(stream), options);
}

// Write what a reader gives, each batch as soon as it is there, and the end marker after
// the last. An error of the reader is returned as it is, and leaves the output without
// the marker; what cannot be written is an error with the number of the batch. The output
// is the caller's to close.
inline ::arrow::Status WriteIpc(::arrow::RecordBatchReader& reader,
                                ::arrow::io::OutputStream& output,
                                const ::arrow::ipc::IpcWriteOptions& options =
                                    ::arrow::ipc::IpcWriteOptions::Defaults()) {
  ARROW_ASSIGN_OR_RAISE(
      auto writer, ::arrow::ipc::MakeStreamWriter(&output, reader.schema(), options));
  for (int64_t i = 0;; ++i) {
    std::shared_ptr<::arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(reader.ReadNext(&batch));
    ::arrow::Status status = batch != nullptr ? writer->WriteRecordBatch(*batch)
                                              : writer->Close();  // which marks the end
    if (status.ok()) status = output.Flush();
    if (!status.ok()) {
      return status.WithMessage("batch ", i,
                                " of the Arrow IPC stream: ", status.message());
    }
    if (batch == nullptr) return status;
  }
}

}  // namespace alloy::arrow

#endif  // ALLOY_ARROW_IPC_HPP_
