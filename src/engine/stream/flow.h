// SPDX-License-Identifier: MIT
//
// What the parts of one open stream share: its call, the scope its backend speaks
// through, the clock of its batches, and the first fault of its inputs.
#ifndef ALLOY_SRC_ENGINE_STREAM_FLOW_H_
#define ALLOY_SRC_ENGINE_STREAM_FLOW_H_

#include <atomic>
#include <memory>
#include <mutex>

#include "engine/call/call.h"
#include "engine/stream/batch_clock.h"
#include "engine/stream/stream.h"

namespace alloy::core {

// Threads  shared: a backend pulls its inputs from any thread.
class Flow {
 public:
  Flow(std::shared_ptr<Call> call, int64_t timeout_ns, uint64_t ticket);
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  Call& call() const { return *call_; }
  Scope& scope() { return scope_; }
  BatchClock& clock() { return clock_; }

  // An input has failed: then the stream has, whatever its backend makes of it. The first
  // failure stays.
  void Record(const StreamFault& fault) noexcept;
  StreamFault fault() const;

  // Why an input may not be asked for more: the caller has cancelled, or the time of the
  // batch is over.
  Status Spent() const;

  // While one of these lives, the host waits for a batch.
  class Wait {
   public:
    explicit Wait(Flow& flow);
    ~Wait();
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    Flow& flow_;
  };

 private:
  const std::shared_ptr<Call> call_;
  Scope scope_;
  BatchClock clock_;
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;
  StreamFault fault_;  // guarded by mutex_
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_FLOW_H_
