// SPDX-License-Identifier: MIT
//
// The built-in backend that a bridge serves until a library is put in its place: it
// counts what it gets, prints it, and gives it back.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_ECHO_H_
#define ALLOY_SRC_ENGINE_CHANNEL_ECHO_H_

#include "alloy/backend.h"

namespace alloy::core {

inline constexpr const char* kEchoName = "alloy.echo";

const alloy_backend& EchoBackend();

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_ECHO_H_
