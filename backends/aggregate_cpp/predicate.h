// SPDX-License-Identifier: MIT
//
// What is asked of the rows of a column: a comparison with a value, or whether they are
// null. Null compares with nothing.
//
// Threads  constant.
#ifndef AGGREGATE_CPP_PREDICATE_H_
#define AGGREGATE_CPP_PREDICATE_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "alloy/backend.hpp"
#include "cells.h"

namespace aggregate {

class Predicate {
 public:
  virtual ~Predicate() = default;
  // The rows of which it is true, in their order.
  virtual std::vector<int64_t> Select(const Cells& cells) const = 0;

  // One for a column: `name` is what the caller calls it, `value` is read as its type.
  // Throws Failure when there is no such comparison.
  static std::unique_ptr<const Predicate> Parse(std::string_view name,
                                                const ArrowSchema& column,
                                                std::string_view op,
                                                std::string_view value);
};

}  // namespace aggregate

#endif  // AGGREGATE_CPP_PREDICATE_H_
