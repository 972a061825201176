// SPDX-License-Identifier: MIT
//
// Shared memory for inputs: that of one worker, or that of a pool, from which a host
// allocates its data itself.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_INPUT_MEMORY_H_
#define ALLOY_SRC_ENGINE_ISOLATED_INPUT_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "engine/isolated/segment.h"

namespace alloy::core {

// Threads  shared: memory may be freed on any thread.
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
    Piece(std::shared_ptr<InputMemory> memory, Segment& segment, std::byte* data,
          size_t size)
        : memory_(std::move(memory)), segment_(segment), data_(data), size_(size) {}
    ~Piece() { memory_->arena_.Free(data_); }
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;

    Segment& segment() const { return segment_; }
    std::byte* data() const { return data_; }
    size_t size() const { return size_; }
    size_t offset() const {
      return static_cast<size_t>(data_ - segment_.memory().data());
    }

   private:
    const std::shared_ptr<InputMemory> memory_;
    Segment& segment_;
    std::byte* const data_;
    const size_t size_;
  };

  // A piece that is aligned to 64 bytes.
  //   Fails  EXHAUSTED.
  Result<std::shared_ptr<const Piece>> Reserve(size_t size);

  // As alloy_services.resize. What finds no room in a segment is in the heap.
  void* Resize(void* memory, int64_t old_size, int64_t new_size) noexcept;

  // All segments so far, the first ones first. Those from `known` on are new to a caller
  // that has seen `known` of them.
  std::vector<std::shared_ptr<Segment>> SegmentsFrom(size_t known) const;
  size_t n_segments() const { return n_segments_.load(std::memory_order_acquire); }

 private:
  Status Grow(size_t size);
  Segment* Find(const std::byte* data) const;

  const std::shared_ptr<Budget> budget_;
  Arena arena_;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::shared_ptr<Segment>> segments_;
  std::atomic<size_t> n_segments_{0};
};

// The shared memory of one bridge: of all its workers, and of the host's own data. A value;
// copies are the same memory.
struct WorkerMemory {
  std::shared_ptr<Budget> inputs, results;
  // From which the host allocates data itself, so that it crosses without a copy.
  std::shared_ptr<InputMemory> pool;

  static WorkerMemory Make(int64_t input_bytes, int64_t output_bytes) {
    WorkerMemory memory{.inputs = std::make_shared<Budget>(input_bytes),
                        .results = std::make_shared<Budget>(output_bytes),
                        .pool = nullptr};
    memory.pool = std::make_shared<InputMemory>(memory.inputs);
    return memory;
  }
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_INPUT_MEMORY_H_
