// SPDX-License-Identifier: MIT
//
// Memory for the results of a worker, in segments that its host can read. What a backend
// allocates here crosses without a copy.
#ifndef ALLOY_SRC_WORKER_ARENA_H_
#define ALLOY_SRC_WORKER_ARENA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

namespace alloy::core {

// Threads  shared.
class Arena {
 public:
  // The arena of this process. The service `resize` has no argument that could lead to it.
  static Arena& OfProcess();

  // More memory. It is never taken back.
  void Add(std::byte* begin, size_t size);

  // Memory that is aligned to 64 bytes; NULL: no piece is large enough.
  void* Allocate(size_t size) noexcept;
  // The size of what Allocate gave, rounded up; 0: this is not from here.
  size_t SizeOf(const void* memory) noexcept;
  // Returns false if the memory is not from here.
  bool Free(void* memory) noexcept;

  // In bytes.
  uint64_t used() const { return used_bytes_.load(std::memory_order_relaxed); }

  // The service of backend.h: in the arena while it has room, and in the heap then.
  static void* Resize(void* memory, int64_t old_size, int64_t new_size) noexcept;

 private:
  using Piece = std::pair<size_t, std::byte*>;

  void AddFree(std::byte* begin, size_t size);

  std::mutex mutex_;
  std::map<std::byte*, size_t> free_;  // by address, to join neighbours
  std::set<Piece> by_size_;            // the same pieces, to find the best one
  std::unordered_map<const void*, size_t> used_;
  std::atomic<uint64_t> used_bytes_{0};
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WORKER_ARENA_H_
