// SPDX-License-Identifier: MIT
//
// Results that lie in the memory of a worker, and how it hears that a host has released
// them.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_RESULTS_H_
#define ALLOY_SRC_ENGINE_ISOLATED_RESULTS_H_

#include <atomic>
#include <cstdint>
#include <memory>
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
  struct Node {
    uint64_t result = 0;
    Node* next = nullptr;
  };

  ReleasedResults() = default;
  ~ReleasedResults();
  ReleasedResults(const ReleasedResults&) = delete;
  ReleasedResults& operator=(const ReleasedResults&) = delete;

  void Add(std::unique_ptr<Node> node) noexcept;
  // At most `most` of them; the rest stays for the next message.
  std::vector<uint64_t> Take(size_t most);

 private:
  std::atomic<Node*> added_{nullptr};
  Node* waiting_ = nullptr;
};

// What a delivered result keeps alive. When it ends, the worker may use the memory again.
//
// In a child of fork it does nothing: worker and locks are the parent's.
class ResultOwner {
 public:
  struct Parts {
    std::shared_ptr<ReleasedResults> released;
    std::unique_ptr<ReleasedResults::Node> node;
    // Where the result may lie: the segments for results, and the inputs of its call.
    std::vector<std::shared_ptr<Segment>> segments;
    std::vector<std::shared_ptr<const void>> inputs;
    std::shared_ptr<ProcessMark> mark;
    uint32_t process = 0;
  };

  explicit ResultOwner(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
  ~ResultOwner();
  ResultOwner(const ResultOwner&) = delete;
  ResultOwner& operator=(const ResultOwner&) = delete;

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_RESULTS_H_
