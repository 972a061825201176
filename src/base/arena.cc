// SPDX-License-Identifier: MIT
#include "base/arena.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "alloy/detail/resize.hpp"

namespace alloy::core {
namespace {

constexpr size_t kAlignment = 64;

size_t RoundUp(size_t size) { return (size + kAlignment - 1) & ~(kAlignment - 1); }

}  // namespace

void Arena::Add(std::byte* begin, size_t size, Backing* backing) {
  const std::scoped_lock lock(mutex_);
  memories_.push_back({begin, begin + size, backing});
  borders_.insert(begin);
  AddFree(begin, size);
}

void Arena::AddFree(std::byte* begin, size_t size) {
  auto next = free_.lower_bound(begin);
  if (next != free_.end() && begin + size == next->first &&
      !borders_.contains(next->first)) {
    size += next->second;
    by_size_.erase({next->second, next->first});
    next = free_.erase(next);
  }
  if (next != free_.begin() && !borders_.contains(begin)) {
    const auto before = std::prev(next);
    if (before->first + before->second == begin) {
      by_size_.erase({before->second, before->first});
      before->second += size;
      by_size_.emplace(before->second, before->first);
      return;
    }
  }
  free_.emplace_hint(next, begin, size);
  by_size_.emplace(size, begin);
}

void* Arena::Allocate(size_t size) noexcept {
  if (size == 0 || size > std::numeric_limits<size_t>::max() / 2) return nullptr;
  const size_t rounded = RoundUp(size);
  Backing* backing = nullptr;
  std::byte* const begin = Take(rounded, &backing);
  // Outside of the lock: new pages take time.
  if (begin == nullptr || backing == nullptr || backing->Back(begin, rounded).ok()) {
    return begin;
  }
  Free(begin);
  return nullptr;
}

std::byte* Arena::Take(size_t rounded, Backing** backing) {
  try {
    const std::scoped_lock lock(mutex_);
    const auto found = by_size_.lower_bound({rounded, nullptr});
    if (found == by_size_.end()) return nullptr;
    const auto [piece, begin] = *found;
    used_.emplace(begin, rounded);
    by_size_.erase(found);
    free_.erase(begin);
    used_bytes_.fetch_add(rounded, std::memory_order_relaxed);
    if (piece > rounded) AddFree(begin + rounded, piece - rounded);
    for (const Memory& memory : memories_) {
      if (begin >= memory.begin && begin < memory.end) *backing = memory.backing;
    }
    return begin;
  } catch (const std::bad_alloc&) {
    // At worst the rest of a piece is lost to this process.
    return nullptr;
  }
}

bool Arena::HasRoomFor(size_t size) noexcept {
  const std::scoped_lock lock(mutex_);
  return by_size_.lower_bound({RoundUp(size), nullptr}) != by_size_.end();
}

size_t Arena::SizeOf(const void* memory) noexcept {
  const std::scoped_lock lock(mutex_);
  const auto found = used_.find(memory);
  return found != used_.end() ? found->second : 0;
}

bool Arena::Free(void* memory) noexcept {
  try {
    const std::scoped_lock lock(mutex_);
    const auto found = used_.find(memory);
    if (found == used_.end()) return false;
    const size_t size = found->second;
    used_.erase(found);
    used_bytes_.fetch_sub(size, std::memory_order_relaxed);
    AddFree(static_cast<std::byte*>(memory), size);
  } catch (const std::bad_alloc&) {
    // The piece is lost to this process.
  }
  return true;
}

void* Arena::Resize(void* memory, int64_t old_size, int64_t new_size) noexcept {
  const size_t room = memory != nullptr ? SizeOf(memory) : 0;
  if (new_size <= 0) {
    if (room > 0) {
      Free(memory);
      return nullptr;
    }
    return alloy::detail::AlignedResize(memory, old_size, 0);
  }
  const auto wanted = static_cast<size_t>(new_size);
  if (room >= wanted && wanted > room / 2) return memory;
  void* grown = Allocate(wanted);
  if (grown == nullptr) {
    if (room == 0) return alloy::detail::AlignedResize(memory, old_size, new_size);
    grown = alloy::detail::AlignedResize(nullptr, 0, new_size);
    if (grown == nullptr) return nullptr;
  }
  if (memory == nullptr) return grown;
  std::memcpy(grown, memory, static_cast<size_t>(std::min(old_size, new_size)));
  if (room > 0) {
    Free(memory);
  } else {
    alloy::detail::AlignedResize(memory, old_size, 0);
  }
  return grown;
}

}  // namespace alloy::core
