// SPDX-License-Identifier: MIT
#ifndef ARROWALLOY_RUN_THREADS_H_
#define ARROWALLOY_RUN_THREADS_H_

#include <cstddef>

namespace arrowalloy::run {

// Start all threads of Arrow's pools now. Arrow starts them at need, inside of its
// callbacks, and hangs or crashes when the machine refuses one there.
//   Throws  E0302 when the machine has too few threads.
void ReserveThreads(size_t inputs);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_THREADS_H_
