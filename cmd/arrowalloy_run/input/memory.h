// SPDX-License-Identifier: MIT
#ifndef ARROWALLOY_RUN_INPUT_MEMORY_H_
#define ARROWALLOY_RUN_INPUT_MEMORY_H_

#include <arrow/memory_pool.h>

namespace arrowalloy::run {

// Where inputs are decoded. It refuses more than this machine had free when the program
// started, so that a file which grows without end is an error and not the end of the
// process.
//
// Threads  shared.
arrow::MemoryPool* InputPool();

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_MEMORY_H_
