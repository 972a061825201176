// SPDX-License-Identifier: MIT
#include "engine/stream/flow.h"

#include <utility>

namespace alloy::core {

Flow::Flow(std::shared_ptr<Call> call, int64_t timeout_ns, uint64_t ticket)
    : call_(std::move(call)),
      scope_(&call_->bound_.service->voice, &call_->control_, 0, ticket),
      clock_(call_->bridge_->host().deadlines(), &call_->control_.expired, timeout_ns) {}

void Flow::Record(const StreamFault& fault) noexcept {
  const std::lock_guard lock(mutex_);
  if (!fault_.ok()) return;
  fault_ = fault;
  failed_.store(true, std::memory_order_release);
}

StreamFault Flow::fault() const {
  if (!failed_.load(std::memory_order_acquire)) [[likely]]
    return {};
  const std::lock_guard lock(mutex_);
  return fault_;
}

Status Flow::Spent() const {
  if (scope_.cancelled()) {
    return Fail(ALLOY_CANCELLED, "cancelled").WithSide(ALLOY_SIDE_CALLER);
  }
  if (scope_.expired()) {
    return Fail(ALLOY_TIMEOUT, "the deadline has passed").WithSide(ALLOY_SIDE_CALLER);
  }
  return Status();
}

Flow::Wait::Wait(Flow& flow) : flow_(flow) {
  const uint64_t run = ++flow_.call_->run_;
  flow_.scope_.SetRun(run);
  flow_.clock_.Start(run);
}

Flow::Wait::~Wait() {
  flow_.clock_.Stop();
  // Between two batches no time is running out.
  flow_.scope_.SetRun(0);
}

}  // namespace alloy::core
