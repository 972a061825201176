// SPDX-License-Identifier: MIT
//
// An error of the engine as a Failure: its reason is the number, and each class of reasons
// has an exit code and a command to run next.
#ifndef ARROWALLOY_BASE_ENGINE_FAILURE_H_
#define ARROWALLOY_BASE_ENGINE_FAILURE_H_

#include <cstdint>
#include <string>

#include "alloy/alloy.h"
#include "failure.h"

namespace arrowalloy {

Exit ExitOf(alloy_code code, int32_t reason);

// `library` is the file that the error is about.
Failure EngineFailure(alloy_code code, int32_t reason, const std::string& text,
                      const std::string& library);
Failure EngineFailure(const alloy_error& error, const std::string& library);

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_ENGINE_FAILURE_H_
