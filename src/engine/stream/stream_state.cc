// SPDX-License-Identifier: MIT
#include "engine/stream/stream_state.h"

#include <utility>

namespace alloy::core {

StreamState::StreamState(std::shared_ptr<CallCore> call, int64_t timeout_ns,
                         uint64_t ticket)
    : call_(std::move(call)),
      scope_(&call_->log_context(), &call_->control(), 0, ticket, &call_->call_log()),
      clock_(call_->deadlines(), &call_->channel(), &call_->control(), timeout_ns) {}

void StreamState::Record(const StreamFault& fault) noexcept {
  FaultState seen = kNone;
  if (!fault_state_.compare_exchange_strong(seen, kBeingSet, std::memory_order_relaxed)) {
    return;
  }
  fault_ = fault;
  fault_state_.store(kSet, std::memory_order_release);
}

StreamFault StreamState::fault() const {
  const bool failed = fault_state_.load(std::memory_order_acquire) == kSet;
  return failed ? fault_ : StreamFault();
}

void StreamState::Remember(int32_t input, const ArrowArray& batch) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  Seen& seen = seen_[n_seen_.fetch_add(1, kRelaxed) % seen_.size()];
  seen.release.store(batch.release, kRelaxed);
  seen.private_data.store(batch.private_data, kRelaxed);
  seen.buffers.store(batch.buffers, kRelaxed);
  seen.children.store(batch.children, kRelaxed);
  seen.input.store(input, kRelaxed);
}

StreamState::Remembered StreamState::LastBatches() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  Remembered last;
  for (const Seen& seen : seen_) {
    if (seen.input.load(kRelaxed) < 0) continue;
    ArrowArray batch{};
    batch.release = seen.release.load(kRelaxed);
    batch.private_data = seen.private_data.load(kRelaxed);
    batch.buffers = seen.buffers.load(kRelaxed);
    batch.children = seen.children.load(kRelaxed);
    batch.n_buffers = batch.buffers != nullptr ? 1 : 0;
    batch.n_children = batch.children != nullptr ? 1 : 0;
    last.batches.push_back(batch);
    last.inputs.push_back(seen.input.load(kRelaxed));
  }
  return last;
}

Status StreamState::CheckNotStopped() const {
  if (scope_.cancelled()) {
    return Fail(ALLOY_CANCELLED, "cancelled").WithSide(ALLOY_SIDE_CALLER);
  }
  if (scope_.expired()) {
    return Fail(ALLOY_TIMEOUT, "the deadline has passed").WithSide(ALLOY_SIDE_CALLER);
  }
  return Status();
}

StreamState::Wait::Wait(StreamState& state) : state_(state) {
  const uint64_t run = state_.call_->BeginRun();
  state_.scope_.SetRun(run);
  status_ = state_.clock_.Start(run);
}

StreamState::Wait::~Wait() {
  state_.clock_.Stop();
  // Between two batches no deadline applies.
  state_.scope_.SetRun(0);
}

}  // namespace alloy::core
