// SPDX-License-Identifier: MIT
//
// The channel of a backend in worker processes.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_WORKER_CHANNEL_H_
#define ALLOY_SRC_ENGINE_ISOLATED_WORKER_CHANNEL_H_

#include <memory>
#include <string>
#include <vector>

#include "admit/may_need.h"
#include "engine/channel/channel.h"
#include "engine/isolated/input_memory.h"
#include "engine/isolated/limits.h"

namespace alloy::core {

// Loads libraries into workers of their own.
//   plainly    for debuggers: by the path of the library.
//   may_need   what a library may need.
std::unique_ptr<ChannelOpener> MakeWorkerOpener(WorkerLimits limits, WorkerMemory memory,
                                                bool plainly, MayNeed may_need);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_WORKER_CHANNEL_H_
