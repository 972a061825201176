// SPDX-License-Identifier: MIT
//
// Results that lie in the memory of a worker, and how it hears that a host has released
// them.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_RESULTS_H_
#define ALLOY_SRC_ENGINE_ISOLATED_RESULTS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/isolated/input_memory.h"
#include "engine/isolated/segment.h"
#include "port/process_mark.h"

namespace alloy::core {

// The results of one worker that hosts have released, and that the worker does not know of
// yet. They travel with the next message, so a release never waits and never fails.
//
// Threads  shared: Add on any thread; the others serial.
class ReleasedResults {
 public:
  // A delivered result, until the worker knows that it was released. It is made with the
  // result, so that a release allocates nothing.
  struct Node {
    uint64_t result = 0;
    // Where the result may lie: the segments for results, and the inputs of its call.
    std::vector<std::shared_ptr<Segment>> segments = {};
    std::vector<std::shared_ptr<const void>> inputs = {};
    Node* next = nullptr;
  };

  ReleasedResults() = default;
  ~ReleasedResults();
  ReleasedResults(const ReleasedResults&) = delete;
  ReleasedResults& operator=(const ReleasedResults&) = delete;

  // An empty node, with the memory of an earlier one if there is one.
  std::unique_ptr<Node> NewNode();
  void Add(std::unique_ptr<Node> node) noexcept;
  // The numbers of at most `most` of them; the rest stays for the next message. They are
  // valid until the next Take.
  std::span<const uint64_t> Take(size_t most);

 private:
  std::atomic<Node*> added_{nullptr};
  Node* waiting_ = nullptr;
  std::vector<uint64_t> taken_;
  std::unique_ptr<Node> spare_;
};

// What a delivered result keeps alive. When it ends, the worker may use the memory again.
//
// In a child of fork it does nothing: worker and locks are the parent's.
class ResultOwner {
 public:
  ResultOwner(std::shared_ptr<ReleasedResults> released,
              std::unique_ptr<ReleasedResults::Node> node,
              std::shared_ptr<ProcessMark> mark)
      : released_(std::move(released)),
        node_(std::move(node)),
        mark_(std::move(mark)),
        process_(mark_->Number()) {}
  ~ResultOwner();
  ResultOwner(const ResultOwner&) = delete;
  ResultOwner& operator=(const ResultOwner&) = delete;

 private:
  std::shared_ptr<ReleasedResults> released_;
  std::unique_ptr<ReleasedResults::Node> node_;
  std::shared_ptr<ProcessMark> mark_;
  const uint32_t process_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_RESULTS_H_
