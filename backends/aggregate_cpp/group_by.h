// SPDX-License-Identifier: MIT
//
// group_by: the keys of each row become a number, and each aggregate keeps its state by
// that number, column by column.
//
// Threads  serial.
#ifndef AGGREGATE_CPP_GROUP_BY_H_
#define AGGREGATE_CPP_GROUP_BY_H_

#include <optional>
#include <span>
#include <vector>

#include "aggregates.h"
#include "alloy/backend.hpp"
#include "keys.h"
#include "slices.h"

namespace aggregate {

// What alloy::Streams takes.
class GroupBy {
 public:
  GroupBy(alloy::Scope& scope, const alloy::Options& options,
          std::span<const ArrowSchema> inputs);

  alloy::Schema OutputSchema() const { return alloy::Schema::Batch(fields_); }
  bool Next(alloy::Scope& scope, std::span<alloy::Input> inputs, ArrowArray* output);

 private:
  Slices Group(const alloy::Scope& scope, alloy::Input& input) const;

  Keys keys_;
  std::vector<Aggregate> aggregates_;
  std::vector<alloy::Field> fields_;
  std::optional<Slices> groups_;  // once they were asked for
};

}  // namespace aggregate

#endif  // AGGREGATE_CPP_GROUP_BY_H_
