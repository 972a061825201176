// SPDX-License-Identifier: MIT
//
// Read and write Arrow IPC streams as bytes, over Apache Arrow C++: a file, a pipe or a
// socket. Read Arrow IPC files.
//
// Use it instead of Arrow's own readers and writer if the other side may fail. A broken
// stream is an error with its place. Every batch is validated in full, dictionaries too.
// No memory is allocated for a size that the bytes cannot have. A stream that was cut off is an error, not an
// early end. If the source of the batches fails, the output gets no end marker. For
// streams that never have an end marker, use Arrow's RecordBatchStreamReader. From
// examples/cpp/arrow.cpp:
//
//   auto input = std::make_shared<alloy::arrow::FileInput>(stdin);
//   auto points = alloy::arrow::ReadIpc(input);
//   if (!points.ok()) return std::cerr << points.status() << '\n', 1;
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

#include "alloy/detail/arrow_ipc_file_reader.hpp"
#include "alloy/detail/arrow_ipc_reader.hpp"

namespace alloy::arrow {

// The bytes of a C file that cannot seek, such as stdin, a pipe of popen or a socket of
// fdopen. For files that can, use Arrow's own ReadableFile.
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

// Bytes to a C file.
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

// Read a stream, batch by batch on demand, and no byte after its end marker. An error
// names the batch and the byte, keeps the code of its cause, and repeats.
//
//   Shares   stream, until the reader is gone.
inline ::arrow::Result<std::shared_ptr<::arrow::RecordBatchReader>> ReadIpc(
    std::shared_ptr<::arrow::io::InputStream> stream,
    const ::arrow::ipc::IpcReadOptions& options =
        ::arrow::ipc::IpcReadOptions::Defaults()) {
  return detail::IpcReader::Open(std::move(stream), options);
}

// The reader that ReadIpcFile returns. It also has
//   total_rows()      the rows of all batches
//   Select(options)   from now on, read with these options, such as included_fields
using detail::IpcFileReader;

// Read an Arrow IPC file, batch by batch on demand. An error names the batch, keeps the
// code of its cause, and repeats.
//
//   Shares   file, until the reader is gone. It must not change in this time.
inline ::arrow::Result<std::shared_ptr<IpcFileReader>> ReadIpcFile(
    const std::shared_ptr<::arrow::io::RandomAccessFile>& file,
    const ::arrow::ipc::IpcReadOptions& options =
        ::arrow::ipc::IpcReadOptions::Defaults()) {
  return detail::IpcFileReader::Open(file, options);
}

// Write the batches of a reader, each as soon as it is there, and the end marker after
// the last. An error of the reader is returned unchanged, and the output gets no end
// marker. An error of the output names the batch. The caller closes the output.
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
