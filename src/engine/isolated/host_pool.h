// SPDX-License-Identifier: MIT
//
// Memory for the data of a host: alloy_pool of alloy.h.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_HOST_POOL_H_
#define ALLOY_SRC_ENGINE_ISOLATED_HOST_POOL_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "engine/isolated/input_memory.h"
#include "port/process_mark.h"

namespace alloy::core {

// Threads  shared.
class HostPool {
 public:
  // memory NULL: the backend is in this process, and so plain memory will do.
  explicit HostPool(std::shared_ptr<InputMemory> memory)
      : memory_(std::move(memory)), process_(mark_.Number()) {}
  HostPool(const HostPool&) = delete;
  HostPool& operator=(const HostPool&) = delete;

  // As alloy_pool_resize.
  void* Resize(void* memory, int64_t old_size, int64_t new_size) noexcept;

 private:
  const std::shared_ptr<InputMemory> memory_;
  ProcessMark mark_;
  const uint32_t process_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_HOST_POOL_H_
