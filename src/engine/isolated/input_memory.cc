// SPDX-License-Identifier: MIT
#include "engine/isolated/input_memory.h"

#include <algorithm>

namespace alloy::core {
namespace {

constexpr size_t kAlign = 64;
constexpr int64_t kFirstSegment = int64_t{4} << 20;
constexpr int64_t kLargestStep = int64_t{256} << 20;

}  // namespace

Result<std::shared_ptr<const InputMemory::Piece>> InputMemory::Reserve(
    size_t size, uint32_t* next_number, std::vector<std::shared_ptr<Segment>>* made) {
  size = (size + kAlign - 1) & ~(kAlign - 1);
  const std::scoped_lock lock(mutex_);
  for (Space& space : spaces_) {
    if (auto piece = TakeFrom(space, size); piece != nullptr) return piece;
  }
  const int64_t last =
      spaces_.empty() ? 0 : static_cast<int64_t>(spaces_.back().segment->memory().size());
  ALLOY_ASSIGN_OR_RETURN(
      auto segment,
      Segment::Make(Segment::For::kInputs, *next_number, static_cast<int64_t>(size),
                    std::max(kFirstSegment, std::min(2 * last, kLargestStep)), budget_));
  ++*next_number;
  made->push_back(segment);
  const size_t whole = segment->memory().size();
  spaces_.push_back({std::move(segment), {{0, whole}}});
  return TakeFrom(spaces_.back(), size);
}

std::shared_ptr<const InputMemory::Piece> InputMemory::TakeFrom(Space& space,
                                                                size_t size) {
  const auto found = std::ranges::find_if(
      space.free, [size](const auto& piece) { return piece.second >= size; });
  if (found == space.free.end()) return nullptr;
  const auto [offset, room] = *found;
  // Without memory for what follows the piece is lost, until the worker ends.
  if (room > size) space.free.emplace(offset + size, room - size);
  space.free.erase(found);
  return std::make_shared<const Piece>(shared_from_this(), space.segment, offset, size);
}

void InputMemory::Free(const Segment& segment, size_t offset, size_t size) noexcept {
  try {
    const std::scoped_lock lock(mutex_);
    const auto space = std::ranges::find_if(
        spaces_, [&](const Space& one) { return one.segment.get() == &segment; });
    auto& free = space->free;
    auto next = free.lower_bound(offset);
    if (next != free.end() && offset + size == next->first) {
      size += next->second;
      next = free.erase(next);
    }
    if (next != free.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second == offset) {
        before->second += size;
        return;
      }
    }
    free.emplace_hint(next, offset, size);
  } catch (...) {
    // Without memory for the list the piece is lost, until the worker ends.
  }
}

}  // namespace alloy::core
