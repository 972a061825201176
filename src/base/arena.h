// SPDX-License-Identifier: MIT
//
// Gives out pieces of memory that somebody else owns, such as segments of shared memory.
#ifndef ALLOY_SRC_BASE_ARENA_H_
#define ALLOY_SRC_BASE_ARENA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/backing.h"

namespace alloy::core {

// Its books are outside of the memory: who can write there cannot lead it astray.
//
// Threads  shared.
class Arena {
 public:
  // More memory, aligned to 64 bytes. It is never taken back. No piece reaches from one
  // memory into another one, even if they are neighbours: a record names one segment.
  // With a backing, each piece has memory behind it before it is given out.
  //
  //   Borrows  backing, as long as this lives.
  void Add(std::byte* begin, size_t size, Backing* backing = nullptr);

  // The smallest free piece that fits, aligned to 64 bytes; NULL: none is large enough, or
  // there is no memory behind it. Freed pieces are used again first, since their pages are
  // warm.
  void* Allocate(size_t size) noexcept;
  // Whether Allocate would find a piece now, with or without memory behind it.
  bool HasRoomFor(size_t size) noexcept;
  // The size of what Allocate gave, rounded up to 64; 0: this is not from here.
  size_t SizeOf(const void* memory) noexcept;
  // Returns false if the memory is not from here.
  bool Free(void* memory) noexcept;

  // Allocate, resize or free as alloy_services.resize: here while there is room, and in the
  // heap then.
  void* Resize(void* memory, int64_t old_size, int64_t new_size) noexcept;

  // In bytes.
  uint64_t used() const { return used_bytes_.load(std::memory_order_relaxed); }

 private:
  using Piece = std::pair<size_t, std::byte*>;

  struct Memory {
    std::byte* begin;
    std::byte* end;
    Backing* backing;
  };

  std::byte* Take(size_t rounded, Backing** backing);
  void AddFree(std::byte* begin, size_t size);

  std::mutex mutex_;
  std::map<std::byte*, size_t> free_;  // by address, to join neighbours
  std::vector<Memory> memories_;
  std::set<std::byte*> borders_;  // where each memory begins
  std::set<Piece> by_size_;       // the same pieces, to find the best one
  std::unordered_map<const void*, size_t> used_;
  std::atomic<uint64_t> used_bytes_{0};
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_ARENA_H_
