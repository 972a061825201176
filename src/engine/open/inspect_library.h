// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ENGINE_OPEN_INSPECT_LIBRARY_H_
#define ALLOY_SRC_ENGINE_OPEN_INSPECT_LIBRARY_H_

#include <string>

#include "engine/open/host.h"

namespace alloy::core {

// The JSON of alloy_inspect; alloy.h documents it. certificate empty: none.
//   Fails  INVALID, or REFUSED with a reason of 3001 to 3006: the file cannot be read.
Result<std::string> InspectLibrary(Host& host, const std::string& library,
                                   const std::string& certificate);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_OPEN_INSPECT_LIBRARY_H_
