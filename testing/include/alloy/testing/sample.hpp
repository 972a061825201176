// SPDX-License-Identifier: MIT
//
// Batches for tests: of any type, filled from a seed, and watched.
//
// A row's values follow from the seed and the row's number alone, so that the same rows
// can be had whole, in parts, and behind other rows that no reader may see. Nothing is
// freed when it is released, only when the Sample goes: a second release is counted and
// not suffered. What was released is overwritten, so that whoever reads on reads
// nonsense.
//
//   const Sample sample(BatchOf({{.format = "l", .name = "x"}}), {.rows = 100});
//   ArrowArray batch;
//   sample.MoveArray(&batch);
//   ... call a function ...
//   EXPECT_TRUE(sample.verdict().ok());
//
// Threads  making and asking: one. Releases: any.
#ifndef ALLOY_TESTING_SAMPLE_HPP_
#define ALLOY_TESTING_SAMPLE_HPP_

#include <cstdint>
#include <memory>

#include "alloy/arrow_abi.h"
#include "alloy/detail/status.hpp"
#include "alloy/testing/spec.hpp"

namespace alloy::testing {

struct SampleOptions {
  int64_t rows = 100;
  int64_t first_row = 0;     // the number of the first row
  int64_t before = 0;        // rows that lie before the offset of every node
  double null_share = 0.25;  // of the values that may be null
  uint64_t seed = 1;
};

class Sample {
 public:
  Sample(const Spec& batch, const SampleOptions& options);
  Sample(Sample&&) noexcept;
  Sample& operator=(Sample&&) noexcept;
  ~Sample();

  // Give the batch away, once; the Sample goes on watching it, and must live until it is
  // released.
  void MoveArray(ArrowArray* out) const;

  // What the batch holds, for comparisons before it was given away.
  const ArrowArray& array() const;

  // Nodes that were not released yet, that were released again, and whose memory was
  // written to while it was borrowed.
  int64_t unreleased() const;
  int64_t released_again() const;
  int64_t written() const;

  // Whether an address lies in memory of a node that was released.
  bool IsGone(const void* address) const;

  // Everything was released, once, and nothing was written to.
  Status verdict() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SAMPLE_HPP_
