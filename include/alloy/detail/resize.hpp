// SPDX-License-Identifier: MIT
//
// Memory for the buffers of columns: what alloy_services.resize promises, for the engine
// and for hosts.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_RESIZE_HPP_
#define ALLOY_DETAIL_RESIZE_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace alloy::detail {

// Allocate (old_size 0), resize, or free (new_size 0) memory that is aligned to 64 bytes.
//
//   Takes  memory. If NULL is returned for a new_size above 0, the caller keeps it.
//   Gives  the memory; NULL if there is not enough.
inline void* AlignedResize(void* memory, int64_t old_size, int64_t new_size) noexcept {
  constexpr size_t kAlignment = 64;
  if (new_size <= 0) {
    std::free(memory);
    return nullptr;
  }
  // No object is larger than PTRDIFF_MAX, and the sum below must not pass it.
  if (new_size > PTRDIFF_MAX - static_cast<int64_t>(kAlignment)) return nullptr;
  // aligned_alloc needs a multiple of the alignment; there is no aligned realloc.
  const size_t rounded =
      (static_cast<size_t>(new_size) + kAlignment - 1) & ~(kAlignment - 1);
  void* grown = std::aligned_alloc(kAlignment, rounded);
  if (grown == nullptr || memory == nullptr) return grown;
  std::memcpy(grown, memory, static_cast<size_t>(std::min(old_size, new_size)));
  std::free(memory);
  return grown;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_RESIZE_HPP_
