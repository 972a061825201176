// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_PORT_OS_FAILURE_H_
#define ALLOY_SRC_PORT_OS_FAILURE_H_

#include <string_view>

#include "base/status.h"

namespace alloy::core {

// The system refused something. `what` was to be done, such as "cannot start a worker";
// `error` is the errno.
//   Fails  EXHAUSTED, if memory, descriptors or processes ran out; else UNSUPPORTED,
//          because this machine does not allow it.
Status OsFailure(std::string_view what, int error);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_OS_FAILURE_H_
