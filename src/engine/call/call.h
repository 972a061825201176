// SPDX-License-Identifier: MIT
//
// A function bound to schemas and options: where batches cross.
#ifndef ALLOY_SRC_ENGINE_CALL_CALL_H_
#define ALLOY_SRC_ENGINE_CALL_CALL_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/open/bridge.h"

namespace alloy::core {

// Threads  serial; a second user gets BUSY. Cancel and progress: any thread.
//
// Open streams share it, and keep it busy: call_stream.cc.
class Call {
 public:
  Call(std::shared_ptr<Bridge> bridge, BoundFunction bound)
      : bridge_(std::move(bridge)), bound_(std::move(bound)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const ArrowSchema& output() const { return binding().output(); }

  // As alloy_call_run.
  Status Run(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns, uint64_t ticket);
  // As alloy_call_stream.
  static Status OpenStream(std::shared_ptr<Call> call, ArrowArrayStream* inputs,
                           int32_t n_inputs, ArrowArrayStream* output, int64_t timeout_ns,
                           uint64_t ticket);
  void Cancel(uint64_t ticket);
  void Progress(int64_t* done, int64_t* total) const;

 private:
  friend class Flow;
  friend class FunctionStream;
  friend class InputPort;
  friend class MapStream;

  const Binding& binding() const { return *bound_.lease.binding(); }
  // Whether a run or a batch of a stream may begin.
  Status MayBegin(uint64_t ticket) const;
  static Status Busy();
  Status RunAlone(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
                  uint64_t ticket);
  Status AdmitInputs(ArrowArray* inputs) const;
  Status AdmitInput(int32_t i, ArrowArray* batch) const;
  Status CheckMoved(const ArrowArray* inputs, ArrowArray* output) const;
  // rows: as many as a row by row function must give; -1: any number.
  Status CheckOutput(int64_t rows, ArrowArray* output) const;
  Status Enter(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
               uint64_t ticket);
  // Of a backend that answered `code` and said `text`.
  Status Failure(alloy_code code, std::string text, const Scope& scope, bool late) const;
  void SayCalling() const;
  void SayDone() const;

  const std::shared_ptr<Bridge> bridge_;
  const BoundFunction bound_;
  std::atomic<bool> busy_{false};
  uint64_t run_ = 0;  // the number of the last run; guarded by busy_
  // On a line of its own: other threads write it.
  alignas(64) RunControl control_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CALL_CALL_H_
