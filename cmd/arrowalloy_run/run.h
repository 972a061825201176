// SPDX-License-Identifier: MIT
#ifndef ARROWALLOY_RUN_RUN_H_
#define ARROWALLOY_RUN_RUN_H_

#include "options.h"

namespace arrowalloy::run {

// Read the inputs, call the function, write its results.
//   Throws  Failure.
Exit Run(const Options& options, Console& console);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_RUN_H_
