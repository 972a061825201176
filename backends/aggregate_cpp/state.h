// SPDX-License-Identifier: MIT
//
// States of aggregates: of each group a slot, by its number.
//
// Threads  serial.
#ifndef AGGREGATE_CPP_STATE_H_
#define AGGREGATE_CPP_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "alloy/backend.hpp"
#include "cells.h"
#include "types.h"

namespace aggregate {

enum class What : uint8_t { kCount, kSum, kMin, kMax, kMean };

std::string_view NameOf(What what);

class State {
 public:
  virtual ~State() = default;
  // Have a slot for each of `groups` groups.
  virtual void Grow(size_t groups) = 0;
  // Add the values of a column, each to the group of its number.
  virtual void Add(const Cells& cells, std::span<const uint32_t> numbers) = 0;
  // The column of all groups. Throws Failure when a value is too much for the type.
  virtual alloy::AnyOutput Finish(alloy::detail::Resize resize) = 0;
};

// How many rows each group has, or how many of their values are not null.
class Counts final : public State {
 public:
  void Grow(size_t groups) override { counts_.resize(groups); }
  void Add(const Cells& cells, std::span<const uint32_t> numbers) override;
  // Rows, whatever their values.
  void AddRows(std::span<const uint32_t> numbers);
  alloy::AnyOutput Finish(alloy::detail::Resize resize) override;

 private:
  std::vector<int64_t> counts_;
};

// The type of an aggregate of such values; nothing when there is none.
std::optional<Type> OutputOf(What what, const Type& of);

// A state of no groups. The type is one that OutputOf has an answer for.
std::unique_ptr<State> MakeState(What what, const Type& of);
std::unique_ptr<State> MakeSum(const Type& of, bool is_mean);
std::unique_ptr<State> MakeBound(const Type& of, bool is_max);

}  // namespace aggregate

#endif  // AGGREGATE_CPP_STATE_H_
