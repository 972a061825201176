// SPDX-License-Identifier: MIT
//
// A bound function as a host holds it: alloy_call of alloy.h.
#ifndef ALLOY_SRC_ENGINE_CALL_CALL_H_
#define ALLOY_SRC_ENGINE_CALL_CALL_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/turn.h"
#include "engine/call/call_core.h"

namespace alloy::core {

class CallUse;

// Threads  serial; a second user gets BUSY. Cancel and Progress: any thread.
class Call {
 public:
  Call(std::shared_ptr<Bridge> bridge, BoundFunction bound)
      : core_(std::move(bridge), std::move(bound)) {}
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const ArrowSchema& output() const { return core_.binding().output(); }

  // As alloy_call_run.
  Status Run(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns, uint64_t ticket);

  // Use the call for longer than one run, as a stream does.
  //   Fails  BUSY.
  static Result<CallUse> Use(std::shared_ptr<Call> call);

  // As alloy_call_set_log.
  void SetLog(int32_t level, void* context) {
    core_.call_log().level.store(level, std::memory_order_relaxed);
    core_.call_log().context.store(context, std::memory_order_release);
  }

  void Cancel(uint64_t ticket) { core_.Cancel(ticket); }
  void Progress(int64_t* done, int64_t* total) const { core_.Progress(done, total); }

 private:
  static Status Busy();

  CallCore core_;
  std::atomic<bool> busy_{false};
};

// The turn of one user. The call is busy for others until this ends.
class CallUse {
 public:
  CallCore& core() const { return *core_; }
  // For parts that may outlive the turn, such as an input that a backend has kept.
  const std::shared_ptr<CallCore>& shared_core() const { return core_; }

 private:
  friend class Call;
  CallUse(std::shared_ptr<CallCore> core, Turn turn)
      : core_(std::move(core)), turn_(std::move(turn)) {}

  // In this order: the turn ends before the call can.
  std::shared_ptr<CallCore> core_;  // also keeps the Call that it is part of
  Turn turn_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CALL_CALL_H_
