// SPDX-License-Identifier: MIT
//
// A MemoryPool of Apache Arrow C++ whose buffers cross to an isolated backend without a
// copy. Make one with alloy::arrow::Pool::Make(bridge), and pass its get() to builders, such
// as arrow::Int64Builder, to readers and to compute functions.
//
// Threads  shared.
#ifndef ALLOY_ARROW_POOL_HPP_
#define ALLOY_ARROW_POOL_HPP_

#include <arrow/memory_pool.h>
#include <arrow/status.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "alloy/pool.hpp"

namespace alloy::arrow {

// The memory of the pool of a bridge. Buffers may outlive both: a reader of Arrow drops some
// on its own threads, at a time that the program cannot know.
class Pool final : public ::arrow::MemoryPool {
 public:
  // The pool ends with its last owner or its last buffer, whichever is later.
  static std::shared_ptr<Pool> Make(const Bridge& bridge) {
    return {new Pool(bridge), [](Pool* pool) { pool->Drop(); }};
  }

  using ::arrow::MemoryPool::Allocate;
  using ::arrow::MemoryPool::Free;
  using ::arrow::MemoryPool::Reallocate;

  // Fails for an alignment above 64 bytes.
  ::arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    *out = nullptr;
    ::arrow::Status status = Resize(nullptr, 0, size, alignment, out);
    if (status.ok()) keepers_.fetch_add(1, std::memory_order_relaxed);
    return status;
  }
  ::arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                             uint8_t** pointer) override {
    uint8_t* const old = *pointer == &nothing_ ? nullptr : *pointer;
    return Resize(old, old == nullptr ? 0 : old_size, new_size, alignment, pointer);
  }
  void Free(uint8_t* buffer, int64_t size, int64_t) override {
    if (buffer == nullptr) return;
    if (buffer != &nothing_) Release(buffer, size);
    Drop();
  }

  int64_t bytes_allocated() const override {
    return allocated_.load(std::memory_order_relaxed);
  }
  int64_t max_memory() const override { return most_.load(std::memory_order_relaxed); }
  int64_t total_bytes_allocated() const override {
    return total_.load(std::memory_order_relaxed);
  }
  int64_t num_allocations() const override {
    return count_.load(std::memory_order_relaxed);
  }
  std::string backend_name() const override { return "alloy"; }

 private:
  explicit Pool(const Bridge& bridge) : pool_(bridge) {}
  ~Pool() override = default;

  void Drop() {
    if (keepers_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  void Release(uint8_t* memory, int64_t size) {
    pool_.Resize(memory, size, 0);
    allocated_.fetch_sub(size, std::memory_order_relaxed);
  }
  ::arrow::Status Resize(uint8_t* old, int64_t old_size, int64_t new_size,
                         int64_t alignment, uint8_t** out) {
    if (alignment > 64) {
      return ::arrow::Status::Invalid("alloy::arrow::Pool aligns to 64 bytes, not to ",
                                      alignment);
    }
    if (new_size == 0) {
      if (old != nullptr) Release(old, old_size);
      *out = &nothing_;
      return ::arrow::Status::OK();
    }
    auto* const memory =
        new_size < 0 ? nullptr
                     : static_cast<uint8_t*>(pool_.Resize(old, old_size, new_size));
    if (memory == nullptr) {
      return ::arrow::Status::OutOfMemory("alloy::arrow::Pool has no ", new_size,
                                          " bytes");
    }
    *out = memory;
    const int64_t now =
        allocated_.fetch_add(new_size - old_size, std::memory_order_relaxed) + new_size -
        old_size;
    total_.fetch_add(std::max<int64_t>(new_size - old_size, 0),
                     std::memory_order_relaxed);
    count_.fetch_add(1, std::memory_order_relaxed);
    int64_t most = most_.load(std::memory_order_relaxed);
    while (most < now &&
           !most_.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
    }
    return ::arrow::Status::OK();
  }

  alloy::Pool pool_;
  // Where empty buffers point, as in Arrow's own pools.
  alignas(64) uint8_t nothing_ = 0;
  std::atomic<int64_t> allocated_{0}, most_{0}, total_{0}, count_{0};
  std::atomic<int64_t> keepers_{1};  // all owners together, and each buffer
};

}  // namespace alloy::arrow

#endif  // ALLOY_ARROW_POOL_HPP_
