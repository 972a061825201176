// SPDX-License-Identifier: MIT
//
// Arrow IPC, by the checked readers of alloy/arrow_ipc.hpp.
#ifndef ARROWALLOY_RUN_INPUT_IPC_INPUT_H_
#define ARROWALLOY_RUN_INPUT_IPC_INPUT_H_

#include <memory>

#include "opened_file.h"
#include "source.h"

namespace arrowalloy::run {

//   Throws  E0101.
std::unique_ptr<OpenedFile> OpenIpcStream(Source source);
std::unique_ptr<OpenedFile> OpenIpcFile(Source source);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_IPC_INPUT_H_
