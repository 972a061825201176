// SPDX-License-Identifier: MIT
//
// The services of backend.h, as a backend in this process gets them.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_SERVICES_H_
#define ALLOY_SRC_ENGINE_CHANNEL_SERVICES_H_

#include "alloy/backend.h"

namespace alloy::core {

// The table that every scope points to; constant. Its entries expect a Scope.
const alloy_services& Services();

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_SERVICES_H_
