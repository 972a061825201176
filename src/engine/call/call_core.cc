// SPDX-License-Identifier: MIT
#include "engine/call/call_core.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "arrow/owned.h"
#include "engine/call/blame.h"
#include "gate/batch.h"
#include "gate/nulls.h"

namespace alloy::core {
namespace {

// Whether a checked column has nulls. Counts them where the backend did not.
bool HasNull(const ArrowArray& column) {
  return column.null_count != 0 &&
         AnyNull(column.buffers[0], {column.offset, column.length});
}

// The lines about a run are what an echo is for. With other backends they only trace it.
int32_t LevelOfOwnLines(const LogContext& context) {
  return context.is_echo ? ALLOY_LOG_INFO : ALLOY_LOG_DEBUG;
}

Status Cancelled(std::string text, int32_t reason = ALLOY_REASON_NONE) {
  return Fail(ALLOY_CANCELLED, reason, text.empty() ? "cancelled" : std::move(text));
}

}  // namespace

Status CallCore::CheckStart(uint64_t ticket) const {
  ALLOY_TRY(CheckOpen());
  if (ticket != 0 && control_.cancelled_upto.load(std::memory_order_relaxed) >= ticket) {
    return Cancelled("cancelled before it started");
  }
  return Status();
}

Status CallCore::Run(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
                     uint64_t ticket) {
  if (timeout_ns < 0) return Fail(ALLOY_INVALID, "timeout_ns is negative");
  ALLOY_TRY(CheckStart(ticket));
  BeginRun();
  ClearProgress();
  const bool logs = log_context().Logs(LevelOfOwnLines(log_context()), &call_log_);
  if (logs) [[unlikely]]
    LogBegin();
  ALLOY_TRY(AdmitInputs(inputs));
  const int64_t rows = binding().inputs().empty() ? 0 : inputs[0].length;
  std::copy_n(inputs, given_.size(), given_.data());
  const RunInputs run_inputs{given_, {inputs, given_.size()}};
  Status run = Enter(inputs, output, timeout_ns, ticket);
  ALLOY_TRY(CheckMoved(run_inputs, run, output));
  if (!run.ok()) [[unlikely]] {
    ReleaseOutput(output);
    return BlameRun(binding(), {input_checks_.level, bridge_->check_results()},
                    run_inputs, run);
  }
  ALLOY_TRY(CheckOutput(rows, run_inputs, output));
  if (logs) [[unlikely]]
    LogEnd();
  return Status();
}

Status CallCore::AdmitInputs(ArrowArray* inputs) const {
  const auto n = static_cast<int32_t>(binding().inputs().size());
  for (int32_t i = 0; i < n; ++i) ALLOY_TRY(AdmitInput(i, &inputs[i]));
  return Status();
}

Status CallCore::AdmitInput(int32_t i, ArrowArray* batch) const {
  const Binding::Input& input = binding().inputs()[static_cast<size_t>(i)];
  Status status = AdmitBatch(input.layout, input_checks_, batch);
  if (status.ok() && !input.projection.identity) {
    status = ProjectBatch(input.projection, batch);
  }
  if (status.ok()) [[likely]]
    return status;
  return status.WithInput(i).WithSide(ALLOY_SIDE_CALLER);
}

Status CallCore::Enter(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
                       uint64_t ticket) {
  using Clock = Deadlines::Clock;
  Scope scope(&log_context(), &control_, run_, ticket, &call_log_);
  Deadlines::Watch watch;
  Clock::time_point deadline = Clock::time_point::max();
  // Without a timeout, nothing here asks for the time or takes a lock.
  if (timeout_ns != 0) {
    deadline = After(Clock::now(), std::chrono::nanoseconds(timeout_ns));
    ALLOY_TRY(watch.Start(deadlines(), deadline, {&channel(), &control_, run_}));
  }
  const alloy_code code =
      channel().Run(binding().function(), state(), scope, inputs,
                    static_cast<int32_t>(binding().inputs().size()), output);
  if (code == ALLOY_OK) [[likely]]
    return Status();
  return Failure(code, scope.TakeErrorText(), scope,
                 timeout_ns != 0 && Clock::now() >= deadline);
}

Status CallCore::Failure(alloy_code code, std::string text, Scope& scope,
                         bool late) const {
  Status failure = scope.TakeFailure();
  if (text.empty() && !failure.ok()) text = failure.fault().text;
  // A worker that did not stop in time is gone, and the caller wants to know that.
  const int32_t reason =
      failure.code() == ALLOY_LOST ? failure.fault().reason : ALLOY_REASON_NONE;
  if (scope.cancelled()) {
    return Cancelled(std::move(text), reason).WithSide(ALLOY_SIDE_CALLER);
  }
  if (late) {
    return Fail(ALLOY_TIMEOUT, reason,
                text.empty() ? "the deadline has passed"
                             : "the deadline has passed: " + text)
        .WithSide(ALLOY_SIDE_CALLER);
  }
  if (!failure.ok()) return failure;
  return BackendFault(*channel().table(), binding().function(), code, std::move(text));
}

// A backend that returns an input must move it out: a copied struct would be released
// twice, once as the input and once as the result. A run that fails may leave one too.
Status CallCore::CheckMoved(const RunInputs& inputs, const Status& run,
                            ArrowArray* output) const {
  const Copied copied = Disarm(binding().output_layout(), inputs, output);
  if (!copied.any()) [[likely]]
    return Status();
  ReleaseOutput(output);
  // Who stopped the run wants to know that it has stopped.
  if (!run.ok() && run.fault().side == ALLOY_SIDE_CALLER) return run;
  return copied.Describe(FunctionName(), run.ok() ? "" : run.fault().text);
}

void CallCore::ReleaseOutput(ArrowArray* output) const {
  OwnedArray owned(output);
  if (const std::string thrown = ReleaseForeign(&owned); !thrown.empty()) {
    WarnOf("the release of its result: " + thrown);
  }
}

Status CallCore::CheckOutput(int64_t rows, const RunInputs& inputs,
                             ArrowArray* output) const {
  Status status = AdmitBatch(binding().output_layout(), bridge_->check_results(), output);
  if (status.ok() && rows >= 0 && (binding().function().flags & ALLOY_ROWWISE) != 0 &&
      output->length != rows) {
    status = Fail(ALLOY_BAD_DATA, ALLOY_REASON_ROW_COUNT,
                  "the function is declared ROWWISE but returned " +
                      std::to_string(output->length) + " rows for " +
                      std::to_string(rows) + " input rows");
  }
  if (status.ok() && binding().is_from_chunks() &&
      (output->length != 1 || HasNull(*output->children[0]))) {
    status = Fail(ALLOY_BAD_DATA, ALLOY_REASON_RESULT_SHAPE,
                  "the backend's function from_chunks must return one row without nulls");
  }
  if (status.ok()) [[likely]]
    return status;
  status = BlameResult(binding(), {input_checks_.level, bridge_->check_results()}, inputs,
                       *output, status);
  ReleaseOutput(output);
  return status;
}

std::string CallCore::FunctionName() const {
  return std::string(binding().function().name) + " of " +
         channel().table()->backend().name;
}

void CallCore::WarnOf(const std::string& text) const {
  Warn(log_context(), FunctionName() + ": " + text);
}

void CallCore::Cancel(uint64_t ticket) {
  uint64_t before = control_.cancelled_upto.load(std::memory_order_relaxed);
  // Only upwards: a late cancel of an older ticket must not undo a newer one.
  while (before < ticket && !control_.cancelled_upto.compare_exchange_weak(
                                before, ticket, std::memory_order_relaxed)) {
  }
  channel().Interrupt(control_);
}

void CallCore::Progress(int64_t* done, int64_t* total) const {
  *done = control_.done.load(std::memory_order_relaxed);
  *total = control_.total.load(std::memory_order_relaxed);
}

void CallCore::ClearProgress() {
  // Most functions never report. Then nothing is written, and the line stays shared.
  if (control_.done.load(std::memory_order_relaxed) == 0 &&
      control_.total.load(std::memory_order_relaxed) == 0) [[likely]] {
    return;
  }
  control_.done.store(0, std::memory_order_relaxed);
  control_.total.store(0, std::memory_order_relaxed);
}

// The lines about exporting are a promise of the log's form, not a trace: the host has
// exported its arrays before it called the engine, and only the engine knows whether the
// log is on.
void CallCore::LogBegin() const {
  const LogContext& context = log_context();
  const int32_t level = LevelOfOwnLines(context);
  const size_t n = binding().inputs().size();
  for (size_t i = 1; i <= n; ++i) {
    context.WriteAsHost(
        level, "Exporting ArrowSchema and ArrowArray #" + std::to_string(i) + " to C",
        &call_log_);
  }
  context.WriteAsHost(level,
                      "Calling " + context.backend_language + " through C ffi now with " +
                          std::to_string(n) + " ArrowArrays",
                      &call_log_);
}

void CallCore::LogEnd() const {
  const LogContext& context = log_context();
  try {
    context.WriteAsHost(
        LevelOfOwnLines(context),
        "Hello, again! Successfully sent Arrow data to " + context.backend_language + ".",
        &call_log_);
  } catch (...) {
    // Without memory the line is lost. The result is ready, and stays valid.
  }
}

}  // namespace alloy::core
