// SPDX-License-Identifier: MIT
#include "output.h"

#include <system_error>
#include <utility>

#include "arrow_error.h"

namespace arrowalloy::run {
namespace {

constexpr size_t kMaxWaiting = 2;

}  // namespace

Output::Output(Destination* destination, Format format,
               const std::shared_ptr<arrow::Schema>& schema)
    : destination_(*destination),
      sink_(std::make_shared<Sink>(destination)),
      writer_(MakeWriter(format, sink_, schema, destination->path())) {
  // The reader of a pipe sees at once what comes.
  if (destination_.is_stream() && format != Format::kTable) Check(sink_->Flush());
  try {
    thread_ = std::thread([this] { Loop(); });
  } catch (const std::system_error&) {
    // No more threads: it works without, only slower.
  }
}

Output::~Output() {
  {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
  }
  End();
}

void Output::Write(std::shared_ptr<arrow::RecordBatch> batch) {
  if (!thread_.joinable()) return WriteNow(*batch);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ || waiting_.size() < kMaxWaiting; });
  if (error_) std::rethrow_exception(error_);
  waiting_.push_back(std::move(batch));
  changed_.notify_all();
}

void Output::Finish() {
  End();
  if (error_) std::rethrow_exception(error_);
  Check(writer_->Close());
  Check(sink_->Close());
  destination_.Finish();
}

void Output::End() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Output::Loop() {
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      batch = waiting_.front();  // it counts as waiting until it is written
    }
    std::exception_ptr error;
    try {
      WriteNow(*batch);
    } catch (...) {
      error = std::current_exception();
    }
    batch.reset();  // a result is released before the next is made
    const std::lock_guard lock(mutex_);
    if (!waiting_.empty()) waiting_.pop_front();
    error_ = error;
    changed_.notify_all();
    if (error_) return;
  }
}

void Output::WriteNow(const arrow::RecordBatch& batch) {
  Check(writer_->Write(batch));
  // The reader of a pipe gets each batch at once.
  if (destination_.is_stream()) Check(sink_->Flush());
}

void Output::Check(const arrow::Status& status) const {
  if (!status.ok()) throw WriteFailure(status, destination_.path());
}

}  // namespace arrowalloy::run
