// SPDX-License-Identifier: MIT
//
// A stream function in a worker, as the channel gives its output to the engine.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_WORKER_STREAM_H_
#define ALLOY_SRC_ENGINE_ISOLATED_WORKER_STREAM_H_

#include <span>

#include "alloy/arrow_abi.h"
#include "base/result.h"
#include "engine/isolated/worker_state.h"

namespace alloy::core {

// Open a stream in the worker of a turn, which it keeps until it is released. The worker
// pulls its inputs through the thread that waits for the output.
//   Borrows  state and scope, until `output` is released.
//   Takes    turn. Moves out inputs.
//   Gives    output, if ALLOY_OK is returned.
Result<alloy_code> OpenWorkerStream(WorkerPool::Turn turn, WorkerState& state,
                                    Scope& scope, std::span<ArrowArrayStream> inputs,
                                    ArrowArrayStream* output);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_WORKER_STREAM_H_
