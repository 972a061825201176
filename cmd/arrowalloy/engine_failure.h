// SPDX-License-Identifier: MIT
//
// The engine's errors as the program tells them: its reason is the number, its class the
// exit code, and to each class belongs a next command.
#ifndef ARROWALLOY_ENGINE_FAILURE_H_
#define ARROWALLOY_ENGINE_FAILURE_H_

#include <cstdint>
#include <string>

#include "alloy/alloy.h"
#include "failure.h"

namespace arrowalloy {

Exit ExitOf(alloy_code code, int32_t reason);

// `library` is the file that it is about.
Failure EngineFailure(alloy_code code, int32_t reason, const std::string& text,
                      const std::string& library);
Failure EngineFailure(const alloy_error& error, const std::string& library);

}  // namespace arrowalloy

#endif  // ARROWALLOY_ENGINE_FAILURE_H_
