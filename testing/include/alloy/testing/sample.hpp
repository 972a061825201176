// SPDX-License-Identifier: MIT
//
// Batches for tests: of any type, filled from a seed, and watched.
//
// Make a Sample of a type, give its batch away with MoveArray, call the function, and
// test that verdict() is ok. The values of a row depend only on the seed and on the
// number of the row. So the same rows can be made as one batch, as parts, and behind
// other rows that no reader may see. Memory is freed with the Sample, not by a release:
// a second release is counted and does no harm. Released memory is overwritten, so that
// a late reader gets wrong values.
//
// Threads  the Sample: serial. Releases: any thread.
#ifndef ALLOY_TESTING_SAMPLE_HPP_
#define ALLOY_TESTING_SAMPLE_HPP_

#include <cstdint>
#include <memory>

#include "alloy/arrow_abi.h"
#include "alloy/status.hpp"
#include "alloy/testing/sample_table.hpp"
#include "alloy/testing/spec.hpp"

namespace alloy::testing {

struct SampleOptions {
  int64_t rows = 100;
  int64_t first_row = 0;     // the number of the first row
  int64_t before = 0;        // rows before the offset of every node
  double null_share = 0.25;  // of the values that may be null
  uint64_t seed = 1;
  // The values that lie under nulls and before the offset: no reader may depend on them.
  uint64_t garbage = 0;
  // Values for the columns of these names, row by row and again from the first. Borrowed,
  // while the Sample is made; NULL: all values are random.
  const SampleTable* table = nullptr;
};

class Sample {
 public:
  Sample(const Spec& batch, const SampleOptions& options);
  Sample(Sample&&) noexcept;
  Sample& operator=(Sample&&) noexcept;
  ~Sample();

  // Give the batch away, once. The Sample watches it, and must live until it is released.
  void MoveArray(ArrowArray* out) const;

  // The batch, for comparisons before it is given away.
  const ArrowArray& array() const;

  // How many nodes are not released, were released twice, or were written to while they
  // were borrowed.
  int64_t unreleased() const;
  int64_t released_again() const;
  int64_t written() const;

  // Whether an address is in the memory of a released node.
  bool IsGone(const void* address) const;

  // Ok if every node was released once and none was written to.
  Status verdict() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SAMPLE_HPP_
