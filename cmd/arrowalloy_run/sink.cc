// SPDX-License-Identifier: MIT
#include "sink.h"

#include <arrow/util/io_util.h>

#include <utility>

namespace arrowalloy::run {
namespace {

constexpr size_t kBuffer = size_t{1} << 18;

}  // namespace

arrow::Status Sink::Write(const void* data, int64_t size) {
  const auto bytes = static_cast<size_t>(size);
  position_ += size;
  if (buffer_.size() + bytes <= kBuffer) {
    buffer_.append(static_cast<const char*>(data), bytes);
    return arrow::Status::OK();
  }
  ARROW_RETURN_NOT_OK(Flush());
  if (bytes >= kBuffer) return WriteOut(data, bytes);
  buffer_.assign(static_cast<const char*>(data), bytes);
  return arrow::Status::OK();
}

arrow::Status Sink::Flush() {
  // Empty before the error, so that nothing is written twice.
  const std::string full = std::move(buffer_);
  buffer_.clear();
  return full.empty() ? arrow::Status::OK() : WriteOut(full.data(), full.size());
}

arrow::Status Sink::Close() {
  closed_ = true;
  return Flush();
}

arrow::Status Sink::WriteOut(const void* data, size_t size) {
  const int error = destination_.Write(data, size);
  if (error == 0) return arrow::Status::OK();
  return arrow::internal::IOErrorFromErrno(error, "cannot write");
}

}  // namespace arrowalloy::run
