// SPDX-License-Identifier: MIT
//
// Memory for the results of a worker, in segments that its host can read. What a backend
// allocates here crosses without a copy.
#ifndef ALLOY_SRC_WORKER_RESULT_MEMORY_H_
#define ALLOY_SRC_WORKER_RESULT_MEMORY_H_

#include "base/arena.h"

namespace alloy::core {

// The one of this process. The service `resize` has no argument that could lead to it.
Arena& ResultMemory();

}  // namespace alloy::core

#endif  // ALLOY_SRC_WORKER_RESULT_MEMORY_H_
