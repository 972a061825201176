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
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/testing/sample.hpp"

namespace alloy::testing {

// Memory of 64-byte alignment, so that every reader may assume it.
class Buffer {
 public:
  explicit Buffer(int64_t bytes)
      : lines_(static_cast<size_t>(bytes) / sizeof(Line) + 1) {}
  uint8_t* data() { return lines_[0].bytes; }
  const uint8_t* data() const { return lines_[0].bytes; }
  size_t size() const { return lines_.size() * sizeof(Line); }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data());
  }

 private:
  struct alignas(64) Line {
    uint8_t bytes[64] = {};
  };
  std::vector<Line> lines_;
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
