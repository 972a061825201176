// SPDX-License-Identifier: MIT
//
// The aggregates that group_by is asked for, such as `sum(x) as total`.
//
// Threads  constant.
#ifndef AGGREGATE_CPP_AGGREGATES_H_
#define AGGREGATE_CPP_AGGREGATES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alloy/backend.hpp"
#include "state.h"
#include "types.h"

namespace aggregate {

class Aggregate {
 public:
  // Throws Failure when the text is no aggregate, or not one of such a column.
  Aggregate(std::string_view text, const ArrowSchema& batch);

  // The column that comes out.
  alloy::Field Field() const;
  // A state of no groups.
  std::unique_ptr<State> MakeState() const;
  // Add the rows of a batch, each to the group of its number.
  void Add(State* state, const ArrowSchema& schema, const ArrowArray& batch,
           std::span<const uint32_t> numbers) const;
  // The column of all groups.
  alloy::AnyOutput Finish(State* state, alloy::detail::Resize resize) const;

 private:
  void ReadCall(std::string_view text, std::string_view call, const ArrowSchema& batch);
  alloy::Failure Named(const alloy::Failure& failure) const;

  std::string name_;
  What what_ = What::kCount;
  int64_t index_ = -1;  // of the values; -1: the rows are counted
  Type of_;
  Type output_;
};

}  // namespace aggregate

#endif  // AGGREGATE_CPP_AGGREGATES_H_
