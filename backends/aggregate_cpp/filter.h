// SPDX-License-Identifier: MIT
//
// filter: the rows of which a comparison is true. A batch of which all rows pass is given
// on as it is; of others the rows are gathered, and dictionaries are shared.
//
// Threads  serial.
#ifndef AGGREGATE_CPP_FILTER_H_
#define AGGREGATE_CPP_FILTER_H_

#include <cstdint>
#include <memory>
#include <span>

#include "alloy/backend.hpp"
#include "predicate.h"

namespace aggregate {

// What alloy::Raw takes.
class Filter {
 public:
  Filter(alloy::Scope& scope, const alloy::Options& options,
         std::span<const ArrowSchema> inputs);

  alloy::Schema OutputSchema() const { return alloy::Schema::Copy(*schema_); }
  void Run(alloy::Scope& scope, std::span<ArrowArray> inputs, ArrowArray* output) const;

 private:
  alloy::Schema schema_;
  int64_t index_;
  std::unique_ptr<const Predicate> predicate_;
};

}  // namespace aggregate

#endif  // AGGREGATE_CPP_FILTER_H_
