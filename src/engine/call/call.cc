// SPDX-License-Identifier: MIT
#include "engine/call/call.h"

#include <string>
#include <utility>

#include "arrow/owned.h"

namespace alloy::core {

// A call that is still in use belongs to a thread that does not exist here: it was running
// in the parent when this process was forked. The state is in the middle of its run.
Call::~Call() {
  if (busy_.load(std::memory_order_acquire)) core_.AbandonState();
}

Status Call::Run(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
                 uint64_t ticket) {
  if (output != nullptr) *output = ArrowArray{};
  const Turn turn(&busy_);
  if (!turn) return Busy();
  const Binding& binding = core_.binding();
  const size_t n_inputs = binding.inputs().size();
  if (inputs == nullptr && n_inputs > 0) return Fail(ALLOY_INVALID, "inputs is NULL");
  // After the turn, so it ends first: releasing the inputs is part of the run.
  const ReleaseRest<ArrowArray> rest(inputs, n_inputs);
  if (output == nullptr) return Fail(ALLOY_INVALID, "output is NULL");
  if (binding.is_stream()) {
    return Fail(ALLOY_INVALID, std::string(binding.function().name) +
                                   " is a stream function; open a stream of it: "
                                   "Stream, in C alloy_call_stream");
  }
  Status status = core_.Run(inputs, output, timeout_ns, ticket);
  // Here and not by its end: a callback that ends its thread may do so.
  if (const std::string thrown = rest.Release(); !thrown.empty()) [[unlikely]] {
    core_.WarnOf("the release of an input, which is the host's: " + thrown);
  }
  return status;
}

Result<CallUse> Call::Use(std::shared_ptr<Call> call) {
  Turn turn(&call->busy_);
  if (!turn) return Busy();
  CallCore* const core = &call->core_;
  return CallUse(std::shared_ptr<CallCore>(std::move(call), core), std::move(turn));
}

Status Call::Busy() {
  return Fail(
      ALLOY_BUSY,
      "this call is in use by another thread or by an open stream, or was so when "
      "the process was forked; bind a second call, or release the stream");
}

}  // namespace alloy::core
