// SPDX-License-Identifier: MIT
//
// A batch that is given in parts: each is a slice of it, and none is a copy.
//
// Threads  Slices: serial. The parts may be released on any thread.
#ifndef AGGREGATE_CPP_SLICES_H_
#define AGGREGATE_CPP_SLICES_H_

#include <cstdint>
#include <memory>

#include "alloy/backend.hpp"

namespace aggregate {

class Slices {
 public:
  // Takes `batch`, whose columns have no children and no dictionaries.
  explicit Slices(ArrowArray* batch)
      : batch_(std::make_shared<const alloy::detail::OwnedArray>(batch)) {}

  // Make `output` the next part, of at most `rows` rows; false: there is none.
  bool Next(int64_t rows, ArrowArray* output);

 private:
  std::shared_ptr<const alloy::detail::OwnedArray> batch_;  // each part keeps it
  int64_t first_ = 0;
};

}  // namespace aggregate

#endif  // AGGREGATE_CPP_SLICES_H_
