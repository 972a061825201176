// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ENGINE_STREAM_STREAM_OF_H_
#define ALLOY_SRC_ENGINE_STREAM_STREAM_OF_H_

#include <cstdint>

#include "alloy/arrow_abi.h"
#include "base/status.h"

namespace alloy::core {

// A stream over batches that are in memory: see alloy_stream_of.
Status StreamOf(const ArrowSchema* schema, ArrowArray* batches, int64_t n,
                ArrowArrayStream* out);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_STREAM_OF_H_
