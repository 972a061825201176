// SPDX-License-Identifier: MIT
//
// Where results go: batches are encoded and written on a thread of their own, while the
// function works on the next ones. A file appears only when it is complete.
//
// Threads  serial.
#ifndef ARROWALLOY_RUN_OUTPUT_H_
#define ARROWALLOY_RUN_OUTPUT_H_

#include <arrow/record_batch.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "../arrowalloy/base/destination.h"
#include "format.h"
#include "format_writer.h"
#include "sink.h"

namespace arrowalloy::run {

class Output {
 public:
  //   Throws  E0102; E0104 for a type that the format does not have.
  Output(Destination* destination, Format format,
         const std::shared_ptr<arrow::Schema>& schema);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Hand over a batch. At most two wait.
  //   Throws  the error of this batch or of one before.
  void Write(std::shared_ptr<arrow::RecordBatch> batch);

  // Everything is written: give the file its name. Without this call no file stays.
  void Finish();

 private:
  void Loop();
  void WriteNow(const arrow::RecordBatch& batch);
  void End();
  void Check(const arrow::Status& status) const;

  Destination& destination_;
  const std::shared_ptr<Sink> sink_;
  const std::unique_ptr<FormatWriter> writer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<arrow::RecordBatch>> waiting_;  // the next three: by mutex_
  std::exception_ptr error_;
  bool ended_ = false;
  std::thread thread_;  // not joinable: batches are written at once
};

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_OUTPUT_H_
