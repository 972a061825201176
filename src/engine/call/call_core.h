// SPDX-License-Identifier: MIT
//
// What runs and streams of one bound function share: the way of a batch through the gate
// to the backend and back, and the rules for its errors. It does not know whose turn it
// is; call.h does.
#ifndef ALLOY_SRC_ENGINE_CALL_CALL_CORE_H_
#define ALLOY_SRC_ENGINE_CALL_CALL_CORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/open/bridge.h"
#include "gate/copied.h"

namespace alloy::core {

// Threads  serial: one user at a time. AdmitInput, Cancel and Progress: any thread.
class CallCore {
 public:
  CallCore(std::shared_ptr<Bridge> bridge, BoundFunction bound)
      : bridge_(std::move(bridge)),
        bound_(std::move(bound)),
        input_checks_(bridge_->check_inputs(binding().function().flags)),
        given_(binding().inputs().size()) {
    call_log_.function = binding().function().name;
  }
  CallCore(const CallCore&) = delete;
  CallCore& operator=(const CallCore&) = delete;

  const Binding& binding() const { return *bound_.lease.binding(); }
  void* state() const { return bound_.lease.state(); }
  Channel& channel() const { return binding().channel(); }
  const LogContext& log_context() const { return bound_.backend->log_context; }
  CallLog& call_log() { return call_log_; }
  RunControl& control() { return control_; }
  Deadlines& deadlines() const { return bridge_->host().deadlines(); }

  // Nobody may use the backend's state any more, nor give it back: a run that holds it did
  // not end.
  void AbandonState() { bound_.lease.Abandon(); }

  // The number of a new run; see RunControl.
  uint64_t BeginRun() { return ++run_; }

  // Whether the bridge is open; a failed load's sticky error or CLOSED if not.
  Status CheckOpen() const { return bridge_->CheckOpen(); }
  // The same, and whether the ticket is not cancelled.
  Status CheckStart(uint64_t ticket) const;

  // One run of a map function. Takes what the backend moves out of `inputs`; the caller
  // releases the rest.
  Status Run(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns, uint64_t ticket);

  // Pass a batch of input `i` through the gate, and leave only the declared columns.
  Status AdmitInput(int32_t i, ArrowArray* batch) const;
  // Pass a result through the gate; it is released when it fails.
  //   rows    what a ROWWISE function must return; -1: any number.
  //   inputs  of which it was made, to find out whose a fault is.
  Status CheckOutput(int64_t rows, const RunInputs& inputs, ArrowArray* output) const;
  // Whether a fault of a result may be one of its inputs.
  bool ChecksResultsMore() const {
    return input_checks_.level < bridge_->check_results();
  }
  // The error of a run for which the backend returned `code` and reported `text`. A run
  // that was cancelled or is late failed for that reason, whatever the backend reports.
  Status Failure(alloy_code code, std::string text, Scope& scope, bool late) const;

  // Warn about the function in the host's log.
  void WarnOf(const std::string& text) const;
  std::string FunctionName() const;

  void Cancel(uint64_t ticket);
  void Progress(int64_t* done, int64_t* total) const;
  // A new run or stream has not reported anything yet.
  void ClearProgress();

 private:
  Status AdmitInputs(ArrowArray* inputs) const;
  Status Enter(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
               uint64_t ticket);
  Status CheckMoved(const RunInputs& inputs, const Status& run, ArrowArray* output) const;
  void ReleaseOutput(ArrowArray* output) const;
  void LogBegin() const;
  void LogEnd() const;

  const std::shared_ptr<Bridge> bridge_;
  BoundFunction bound_;
  const Checks input_checks_;
  CallLog call_log_;
  // The roots of the inputs, as the last run gave them to the backend. Of one size from the
  // start, so that a run allocates nothing.
  std::vector<ArrowArray> given_;
  uint64_t run_ = 0;  // the number of the last run
  // On its own cache line, since other threads write it.
  alignas(64) RunControl control_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CALL_CALL_CORE_H_
