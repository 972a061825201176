// SPDX-License-Identifier: MIT
//
// The shared memory in which one worker gets its inputs.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_INPUT_MEMORY_H_
#define ALLOY_SRC_ENGINE_ISOLATED_INPUT_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/isolated/segment.h"

namespace alloy::core {

// Pieces of input segments. Freed pieces are used again first, since their pages are warm.
//
// Threads  shared: a piece may be freed on any thread.
class InputMemory : public std::enable_shared_from_this<InputMemory> {
 public:
  explicit InputMemory(std::shared_ptr<Budget> budget) : budget_(std::move(budget)) {}
  InputMemory(const InputMemory&) = delete;
  InputMemory& operator=(const InputMemory&) = delete;

  // A piece of a segment, which nobody else gets as long as it lives.
  //
  // Threads  immutable: shared.
  class Piece {
   public:
    Piece(std::shared_ptr<InputMemory> memory, std::shared_ptr<Segment> segment,
          size_t offset, size_t size)
        : memory_(std::move(memory)),
          segment_(std::move(segment)),
          offset_(offset),
          size_(size) {}
    ~Piece() { memory_->Free(*segment_, offset_, size_); }
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;

    Segment& segment() const { return *segment_; }
    size_t offset() const { return offset_; }
    size_t size() const { return size_; }
    std::byte* data() const { return segment_->memory().data() + offset_; }

   private:
    const std::shared_ptr<InputMemory> memory_;
    const std::shared_ptr<Segment> segment_;
    const size_t offset_, size_;
  };

  // A piece that is aligned to 64 bytes. If a new segment was needed for it, its number
  // comes from `next_number`, and it is added to `made`.
  //   Fails  EXHAUSTED.
  Result<std::shared_ptr<const Piece>> Reserve(
      size_t size, uint32_t* next_number, std::vector<std::shared_ptr<Segment>>* made);

 private:
  struct Space {
    std::shared_ptr<Segment> segment;
    std::map<size_t, size_t> free;  // size by offset
  };

  std::shared_ptr<const Piece> TakeFrom(Space& space, size_t size);
  void Free(const Segment& segment, size_t offset, size_t size) noexcept;

  const std::shared_ptr<Budget> budget_;
  std::mutex mutex_;
  std::vector<Space> spaces_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_INPUT_MEMORY_H_
