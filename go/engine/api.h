// SPDX-License-Identifier: MIT
//
// The engine's C ABI as this package sees it: compiled in with prefixed names, or, with
// the build tag alloy_system, that of an installed library.
#ifndef ALLOY_GO_ENGINE_API_H_
#define ALLOY_GO_ENGINE_API_H_

#ifdef ALLOY_SYSTEM
#include <alloy/alloy.h>
#else
#include "alloy_engine.h"
#endif

#endif  // ALLOY_GO_ENGINE_API_H_
