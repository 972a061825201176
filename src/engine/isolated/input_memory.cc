// SPDX-License-Identifier: MIT
#include "engine/isolated/input_memory.h"

#include <algorithm>
#include <string>

namespace alloy::core {
namespace {

constexpr int64_t kFirstSegment = int64_t{4} << 20;
constexpr int64_t kLargestStep = int64_t{256} << 20;
// The arena gives out multiples of it.
constexpr int64_t kAlignment = 64;

}  // namespace

Result<std::shared_ptr<const InputMemory::Piece>> InputMemory::Reserve(size_t size) {
  void* data = arena_.Allocate(size);
  if (data == nullptr && !arena_.HasRoomFor(size)) {
    ALLOY_TRY(Grow(size));
    data = arena_.Allocate(size);
  }
  if (data == nullptr) {
    return Fail(ALLOY_EXHAUSTED,
                "an input needs " + std::to_string(size) +
                    " bytes of shared memory, which input_bytes allows, but the machine "
                    "has no memory for them; free memory, or raise the memory limit of "
                    "this process or container");
  }
  auto* const begin = static_cast<std::byte*>(data);
  return std::make_shared<const Piece>(shared_from_this(), *Find(begin), begin, size);
}

void* InputMemory::Resize(void* memory, int64_t old_size, int64_t new_size) noexcept {
  try {
    if (new_size > 0) {
      const size_t room = memory != nullptr ? arena_.SizeOf(memory) : 0;
      const auto wanted = static_cast<size_t>(new_size);
      // Without room in the budget it is in the heap, and is copied when it crosses.
      if (room < wanted && !arena_.HasRoomFor(wanted)) (void)Grow(wanted);
    }
  } catch (...) {
    // The same.
  }
  return arena_.Resize(memory, old_size, new_size);
}

Status InputMemory::Grow(size_t size) {
  const std::scoped_lock lock(mutex_);
  const int64_t last =
      segments_.empty() ? 0 : static_cast<int64_t>(segments_.back()->memory().size());
  const auto wanted = static_cast<int64_t>(
      std::min<size_t>(size, size_t{1} << 62) / kAlignment * kAlignment + kAlignment);
  ALLOY_ASSIGN_OR_RETURN(
      auto segment,
      Segment::Make(Segment::For::kInputs, wanted,
                    std::max(kFirstSegment, std::min(2 * last, kLargestStep)), budget_));
  SharedMemory& memory = segment->memory();
  segments_.push_back(std::move(segment));
  n_segments_.store(segments_.size(), std::memory_order_release);
  arena_.Add(memory.data(), memory.size(), &memory);
  return Status();
}

Segment* InputMemory::Find(const std::byte* data) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& segment : segments_) {
    const SharedMemory& memory = segment->memory();
    if (data >= memory.data() && data < memory.data() + memory.size()) {
      return segment.get();
    }
  }
  return nullptr;
}

std::vector<std::shared_ptr<Segment>> InputMemory::SegmentsFrom(size_t known) const {
  const std::scoped_lock lock(mutex_);
  return {segments_.begin() + static_cast<ptrdiff_t>(std::min(known, segments_.size())),
          segments_.end()};
}

}  // namespace alloy::core
