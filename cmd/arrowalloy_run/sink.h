// SPDX-License-Identifier: MIT
//
// A Destination as an output stream of Arrow, with a buffer: Arrow's writers make many small
// writes.
#ifndef ARROWALLOY_RUN_SINK_H_
#define ARROWALLOY_RUN_SINK_H_

#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <string>

#include "../arrowalloy/base/destination.h"

namespace arrowalloy::run {

// Closing it leaves the destination open. An error keeps errno: see arrow_error.h.
class Sink final : public arrow::io::OutputStream {
 public:
  explicit Sink(Destination* destination) : destination_(*destination) {}

  arrow::Status Write(const void* data, int64_t size) override;
  arrow::Status Flush() override;
  arrow::Status Close() override;
  arrow::Result<int64_t> Tell() const override { return position_; }
  bool closed() const override { return closed_; }

 private:
  arrow::Status WriteOut(const void* data, size_t size);

  Destination& destination_;
  std::string buffer_;
  int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_SINK_H_
