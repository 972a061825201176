// SPDX-License-Identifier: MIT
#include "engine/isolated/host_pool.h"

#include <algorithm>
#include <cstring>

#include "alloy/detail/resize.hpp"

namespace alloy::core {

void* HostPool::Resize(void* memory, int64_t old_size, int64_t new_size) noexcept {
  using alloy::detail::AlignedResize;
  if (memory_ == nullptr) return AlignedResize(memory, old_size, new_size);
  if (mark_.Number() == process_) [[likely]]
    return memory_->Resize(memory, old_size, new_size);
  // In a child of fork the shared memory and its books are the parent's. What is allocated
  // here is in the heap. What is freed here came from either, and is left as it is.
  if (new_size <= 0) return nullptr;
  void* const grown = AlignedResize(nullptr, 0, new_size);
  if (grown != nullptr && memory != nullptr) {
    std::memcpy(grown, memory, static_cast<size_t>(std::min(old_size, new_size)));
  }
  return grown;
}

}  // namespace alloy::core
