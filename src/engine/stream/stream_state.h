// SPDX-License-Identifier: MIT
//
// What the parts of one open stream of a stream function share: its call, the scope of its
// backend, the clock of its batches, and the first fault of its inputs.
#ifndef ALLOY_SRC_ENGINE_STREAM_STREAM_STATE_H_
#define ALLOY_SRC_ENGINE_STREAM_STREAM_STATE_H_

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "engine/call/call_core.h"
#include "engine/stream/batch_clock.h"
#include "engine/stream/stream.h"

namespace alloy::core {

// Threads  shared: a backend pulls its inputs from any thread.
class StreamState {
 public:
  StreamState(std::shared_ptr<CallCore> call, int64_t timeout_ns, uint64_t ticket);
  StreamState(const StreamState&) = delete;
  StreamState& operator=(const StreamState&) = delete;

  CallCore& call() const { return *call_; }
  Scope& scope() { return scope_; }
  BatchClock& clock() { return clock_; }

  // An input has failed. Then the stream fails too, even if its backend ignores the error.
  // Later faults change nothing.
  void Record(const StreamFault& fault) noexcept;
  StreamFault fault() const;

  // A batch of an input goes to the backend. If the gate later refuses a result, the last
  // ones show whether the backend returned what it got.
  void Remember(int32_t input, const ArrowArray& batch);
  struct Remembered {
    std::vector<ArrowArray> batches;  // only what identifies them; nothing may be read
    std::vector<int32_t> inputs;      // of each
  };
  Remembered LastBatches() const;

  // Fails once the caller has cancelled, or the time of the batch is over: then no input is
  // asked for more.
  Status CheckNotStopped() const;

  // While it lives, the host waits for a batch: this is a run of its own, with its own
  // deadline.
  class Wait {
   public:
    explicit Wait(StreamState& state);
    ~Wait();
    // Fails if the deadline cannot be watched: then do not wait.
    const Status& status() const { return status_; }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    StreamState& state_;
    Status status_;
  };

 private:
  // Written by threads of the backend, maybe while another reads: then the parts belong to
  // two batches, and are not found anywhere.
  struct Seen {
    std::atomic<void (*)(ArrowArray*)> release{nullptr};
    std::atomic<void*> private_data{nullptr};
    std::atomic<const void**> buffers{nullptr};
    std::atomic<ArrowArray**> children{nullptr};
    std::atomic<int32_t> input{-1};
  };

  const std::shared_ptr<CallCore> call_;
  Scope scope_;
  BatchClock clock_;
  // Not under a lock: in a child of fork, a thread of the parent would hold it for ever.
  enum FaultState : uint8_t { kNone, kBeingSet, kSet };
  std::atomic<FaultState> fault_state_{kNone};
  StreamFault fault_;  // the first one, once the state is kSet
  std::array<Seen, 16> seen_;
  std::atomic<uint32_t> n_seen_{0};
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_STREAM_STATE_H_
