// SPDX-License-Identifier: MIT
//
// Where the worker program is. No environment variable names it.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_FIND_WORKER_H_
#define ALLOY_SRC_ENGINE_ISOLATED_FIND_WORKER_H_

#include <string>

#include "base/result.h"

namespace alloy::core {

// In this order: the path that the host names; a program next to the engine; this program
// itself, if the engine was compiled into it as into a Go program.
//   named  an absolute path; empty: none.
//   Fails  REFUSED with WORKER: it is missing; the text has the path.
Result<std::string> FindWorker(const std::string& named);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_FIND_WORKER_H_
