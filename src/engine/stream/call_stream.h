// SPDX-License-Identifier: MIT
//
// Streams of results: a bound function over streams of batches.
#ifndef ALLOY_SRC_ENGINE_STREAM_CALL_STREAM_H_
#define ALLOY_SRC_ENGINE_STREAM_CALL_STREAM_H_

#include <cstdint>
#include <memory>

#include "engine/call/call.h"

namespace alloy::core {

// As alloy_call_stream. `output` keeps the call, and keeps it busy.
Status OpenCallStream(std::shared_ptr<Call> call, ArrowArrayStream* inputs,
                      int32_t n_inputs, ArrowArrayStream* output, int64_t timeout_ns,
                      uint64_t ticket);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_CALL_STREAM_H_
