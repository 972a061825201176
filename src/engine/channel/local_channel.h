// SPDX-License-Identifier: MIT
//
// The channel of a backend in this process: it calls the backend's entry points.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_LOCAL_CHANNEL_H_
#define ALLOY_SRC_ENGINE_CHANNEL_LOCAL_CHANNEL_H_

#include <memory>

#include "engine/channel/channel.h"
#include "load/load.h"

namespace alloy::core {

// For a backend whose entry points are in this process already.
std::shared_ptr<Channel> MakeLocalChannel(std::shared_ptr<const BackendTable> table);

// Loads libraries into this process, where they stay for its life.
std::unique_ptr<ChannelOpener> MakeLocalOpener(LoadFrom from);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_LOCAL_CHANNEL_H_
