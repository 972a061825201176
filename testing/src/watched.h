// SPDX-License-Identifier: MIT
//
// ArrowArrays whose releases are counted and whose memory is looked after.
//
// Threads  building: one. Releases: any.
#ifndef ALLOY_TESTING_SRC_WATCHED_H_
#define ALLOY_TESTING_SRC_WATCHED_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/testing/sample.hpp"

namespace alloy::testing {

// Memory in pages of its own, so that every reader may assume alignment, and so that it can
// be taken away: who uses it after that gets a signal.
class Buffer {
 public:
  explicit Buffer(int64_t bytes);
  ~Buffer();
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}
  Buffer& operator=(Buffer&&) = delete;

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  // A multiple of 64.
  size_t size() const { return size_; }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data());
  }

  // From now on nobody may read or write it.
  void TakeAway();

 private:
  uint8_t* data_;
  size_t size_;
};

struct WatchedNode {
  ArrowArray array{};
  std::deque<Buffer> buffers;
  std::vector<const void*> pointers;
  // As they were made: whoever moves a struct out may clear all of it.
  std::vector<ArrowArray*> children;
  ArrowArray* dictionary = nullptr;
  std::atomic<int> releases{0};
  std::atomic<bool> changed{false};
  uint64_t sum = 0;  // of the buffers as they were made

  uint64_t Sum() const;
  bool Changed() const;
  bool Holds(const void* address) const;
};

class WatchedTree {
 public:
  WatchedNode& Add() { return nodes_.emplace_back(); }
  WatchedNode& root() { return nodes_.front(); }

  // Once all is filled: pointers, releases, sums.
  void Finish();

  template <typename Is>
  int64_t Count(Is is) const {
    int64_t n = 0;
    for (const WatchedNode& node : nodes_) n += is(node) ? 1 : 0;
    return n;
  }

 private:
  std::deque<WatchedNode> nodes_;  // the root first; they never move
};

// Fill a tree with a batch.
void FillBatch(const Spec& batch, const SampleOptions& options, WatchedTree* tree);

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SRC_WATCHED_H_
