// SPDX-License-Identifier: MIT
//
// A piece of shared memory that counts against a budget, until nobody uses it any more.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_SEGMENT_H_
#define ALLOY_SRC_ENGINE_ISOLATED_SEGMENT_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "base/result.h"
#include "engine/isolated/limits.h"
#include "port/shared_memory.h"

namespace alloy::core {

// Threads  immutable: shared.
class Segment : public std::enable_shared_from_this<Segment> {
 public:
  enum class For : uint8_t { kInputs, kResults };

  // Make a segment of at least `wanted` bytes, and of `better` if the budget allows it.
  //   Fails  EXHAUSTED; the text has the size and the limit.
  static Result<std::shared_ptr<Segment>> Make(For what, int64_t wanted, int64_t better,
                                               const std::shared_ptr<Budget>& budget);
  ~Segment() { budget_->Give(counted_); }
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  bool is_for_results() const { return what_ == For::kResults; }
  SharedMemory& memory() { return memory_; }

 private:
  Segment(For what, SharedMemory memory, int64_t counted, std::shared_ptr<Budget> budget)
      : what_(what),
        memory_(std::move(memory)),
        counted_(counted),
        budget_(std::move(budget)) {}

  const For what_;
  SharedMemory memory_;
  const int64_t counted_;
  const std::shared_ptr<Budget> budget_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_SEGMENT_H_
