// SPDX-License-Identifier: MIT
#include "engine/call/call.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "arrow/owned.h"
#include "gate/batch.h"
#include "gate/shape.h"

namespace alloy::core {
namespace {

// One user at a time, without a lock.
class Turn {
 public:
  explicit Turn(std::atomic<bool>* busy)
      : busy_(busy), mine_(!busy->exchange(true, std::memory_order_acquire)) {}
  ~Turn() {
    if (mine_) busy_->store(false, std::memory_order_release);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  explicit operator bool() const { return mine_; }

 private:
  std::atomic<bool>* const busy_;
  const bool mine_;
};

// Of a checked column; counts where the backend did not.
bool HasNull(const ArrowArray& column) {
  return column.null_count != 0 &&
         AnyNull(column.buffers[0], column.offset, column.length);
}

Status Cancelled(std::string text) {
  return Fail(ALLOY_CANCELLED, text.empty() ? "cancelled" : std::move(text));
}

}  // namespace

Status Call::Run(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
                 uint64_t ticket) {
  if (output != nullptr) *output = ArrowArray{};
  const Turn turn(&busy_);
  if (!turn) return Busy();
  const size_t n_inputs = binding().inputs().size();
  if (inputs == nullptr && n_inputs > 0) return Fail(ALLOY_INVALID, "inputs is NULL");
  // Before the turn ends: releasing inputs is part of the run.
  const ReleaseRest<ArrowArray> rest(inputs, n_inputs);
  if (output == nullptr) return Fail(ALLOY_INVALID, "output is NULL");
  if (binding().is_stream()) {
    return Fail(ALLOY_INVALID, std::string(binding().function().name) +
                                   " is a stream function; open a stream of it "
                                   "(alloy_call_stream)");
  }
  return RunAlone(inputs, output, timeout_ns, ticket);
}

Status Call::Busy() {
  return Fail(ALLOY_BUSY,
              "this call is in use by another thread, or by a stream of it that is not "
              "released; bind one for each");
}

Status Call::RunAlone(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
                      uint64_t ticket) {
  if (timeout_ns < 0) return Fail(ALLOY_INVALID, "timeout_ns is negative");
  ALLOY_TRY(MayBegin(ticket));
  ++run_;
  const bool speaks = bound_.service->voice.speaks;
  if (speaks) [[unlikely]]
    SayCalling();
  ALLOY_TRY(AdmitInputs(inputs));
  const int64_t rows = binding().inputs().empty() ? 0 : inputs[0].length;
  ALLOY_TRY(Enter(inputs, output, timeout_ns, ticket));
  ALLOY_TRY(CheckMoved(inputs, output));
  ALLOY_TRY(CheckOutput(rows, output));
  if (speaks) [[unlikely]]
    SayDone();
  return Status();
}

Status Call::MayBegin(uint64_t ticket) const {
  ALLOY_TRY(bridge_->Condition());
  if (ticket != 0 && control_.cancelled_upto.load(std::memory_order_relaxed) >= ticket) {
    return Cancelled("cancelled before it began");
  }
  return Status();
}

Status Call::AdmitInputs(ArrowArray* inputs) const {
  const auto n = static_cast<int32_t>(binding().inputs().size());
  for (int32_t i = 0; i < n; ++i) ALLOY_TRY(AdmitInput(i, &inputs[i]));
  return Status();
}

Status Call::AdmitInput(int32_t i, ArrowArray* batch) const {
  const Binding::Input& input = binding().inputs()[static_cast<size_t>(i)];
  Status status = AdmitBatch(input.layout, bridge_->check_inputs(), batch);
  if (status.ok() && !input.projection.identity) {
    status = ProjectBatch(input.projection, batch);
  }
  if (status.ok()) [[likely]]
    return status;
  return status.WithInput(i).WithSide(ALLOY_SIDE_CALLER);
}

Status Call::Enter(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
                   uint64_t ticket) {
  using Clock = Deadlines::Clock;
  Scope scope(&bound_.service->voice, &control_, run_, ticket);
  std::optional<Deadlines::Watch> watch;
  Clock::time_point deadline = Clock::time_point::max();
  if (timeout_ns != 0) {
    const auto now = Clock::now();
    const std::chrono::nanoseconds timeout(timeout_ns);
    // A sum beyond the clock's range is no deadline.
    if (timeout < Clock::time_point::max() - now) deadline = now + timeout;
    watch.emplace(bridge_->host().deadlines(), deadline, &control_.expired, run_);
  }
  const alloy_code code =
      binding().channel().Run(binding().function(), bound_.lease.state(), scope, inputs,
                              static_cast<int32_t>(binding().inputs().size()), output);
  if (code == ALLOY_OK) [[likely]]
    return Status();
  OwnedArray(output).Release();
  return Failure(code, scope.TakeText(), scope,
                 timeout_ns != 0 && Clock::now() >= deadline);
}

Status Call::Failure(alloy_code code, std::string text, const Scope& scope,
                     bool late) const {
  if (scope.cancelled()) return Cancelled(std::move(text)).WithSide(ALLOY_SIDE_CALLER);
  if (late) {
    return Fail(ALLOY_TIMEOUT, text.empty() ? "the deadline has passed"
                                            : "the deadline has passed: " + text)
        .WithSide(ALLOY_SIDE_CALLER);
  }
  return BackendFault(binding().channel().table(), binding().function(), code,
                      std::move(text));
}

// A backend that gives an input back must move it out: a copy would be released twice.
Status Call::CheckMoved(const ArrowArray* inputs, ArrowArray* output) const {
  for (size_t i = 0; i < binding().inputs().size(); ++i) {
    const ArrowArray& input = inputs[i];
    if (input.release == nullptr || input.private_data == nullptr) [[likely]]
      continue;
    // Two structs of one producer may share both; a copy has the same parts as well.
    if (input.release != output->release || input.private_data != output->private_data ||
        input.buffers != output->buffers || input.children != output->children ||
        input.length != output->length || input.offset != output->offset) {
      continue;
    }
    *output = ArrowArray{};  // the input is still there, and is released as such
    return Fail(ALLOY_BAD_DATA, ALLOY_REASON_COPIED,
                "the result is a copy of the struct of input " + std::to_string(i) +
                    ", which was left in place; move it out instead")
        .WithSide(ALLOY_SIDE_BACKEND);
  }
  return Status();
}

Status Call::CheckOutput(int64_t rows, ArrowArray* output) const {
  Status status = AdmitBatch(binding().output_layout(), bridge_->check_results(), output);
  if (status.ok() && rows >= 0 && (binding().function().flags & ALLOY_ROWWISE) != 0 &&
      output->length != rows) {
    status = Fail(ALLOY_BAD_DATA, ALLOY_REASON_ROW_COUNT,
                  "it is row by row, but gives " + std::to_string(output->length) +
                      " rows for " + std::to_string(rows));
  }
  if (status.ok() && binding().is_from_chunks() &&
      (output->length != 1 || HasNull(*output->children[0]))) {
    status = Fail(ALLOY_BAD_DATA, ALLOY_REASON_RESULT_SHAPE,
                  "it must give one row without nulls");
  }
  if (status.ok()) [[likely]]
    return status;
  OwnedArray(output).Release();
  return status.WithSide(ALLOY_SIDE_BACKEND)
      .WithPrefix(std::string("the result of ") + binding().function().name + " of " +
                  binding().channel().table().backend().name + ": ");
}

void Call::Cancel(uint64_t ticket) {
  uint64_t before = control_.cancelled_upto.load(std::memory_order_relaxed);
  while (before < ticket && !control_.cancelled_upto.compare_exchange_weak(
                                before, ticket, std::memory_order_relaxed)) {
  }
}

void Call::Progress(int64_t* done, int64_t* total) const {
  *done = control_.done.load(std::memory_order_relaxed);
  *total = control_.total.load(std::memory_order_relaxed);
}

void Call::SayCalling() const {
  const Voice& voice = bound_.service->voice;
  const size_t n = binding().inputs().size();
  for (size_t i = 1; i <= n; ++i) {
    voice.log->Write(
        ALLOY_LOG_INFO, voice.host_language,
        "Exporting ArrowSchema and ArrowArray #" + std::to_string(i) + " to C");
  }
  voice.log->Write(ALLOY_LOG_INFO, voice.host_language,
                   "Calling " + voice.backend_language + " through C ffi now with " +
                       std::to_string(n) + " ArrowArrays");
}

void Call::SayDone() const {
  const Voice& voice = bound_.service->voice;
  try {
    voice.log->Write(
        ALLOY_LOG_INFO, voice.host_language,
        "Hello, again! Successfully sent Arrow data to " + voice.backend_language + ".");
  } catch (...) {
    // Without memory the line is lost; the output is given already, and stays.
  }
}

}  // namespace alloy::core
