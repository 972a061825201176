// SPDX-License-Identifier: MIT
//
// The built-in backend of a new bridge: it counts its inputs, prints them to the log, and
// returns them.
#ifndef ALLOY_SRC_ENGINE_OPEN_ECHO_H_
#define ALLOY_SRC_ENGINE_OPEN_ECHO_H_

#include "alloy/backend.h"

namespace alloy::core {

inline constexpr const char* kEchoName = "alloy.echo";

const alloy_backend& EchoBackend();

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_OPEN_ECHO_H_
