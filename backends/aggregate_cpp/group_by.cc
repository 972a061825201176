// SPDX-License-Identifier: MIT
#include "group_by.h"

#include <cstdint>
#include <memory>
#include <string_view>

#include "names.h"

namespace aggregate {

GroupBy::GroupBy(alloy::Scope&, const alloy::Options& options,
                 std::span<const ArrowSchema> inputs)
    : keys_(inputs[0], Items("keys", options["keys"])), fields_(keys_.Fields(inputs[0])) {
  for (const std::string_view text : Items("aggregates", options["aggregates"])) {
    fields_.push_back(aggregates_.emplace_back(text, inputs[0]).Field());
  }
  if (fields_.empty()) throw Invalid("group_by needs keys, aggregates or both");
  CheckApart("aggregates", fields_);
}

bool GroupBy::Next(alloy::Scope& scope, std::span<alloy::Input> inputs,
                   ArrowArray* output) {
  constexpr int64_t kBatchRows = 1 << 16;
  if (!groups_) groups_ = Group(scope, inputs[0]);
  return groups_->Next(kBatchRows, output);
}

Slices GroupBy::Group(const alloy::Scope& scope, alloy::Input& input) const {
  Groups groups(keys_);
  std::vector<std::unique_ptr<State>> states;
  states.reserve(aggregates_.size());
  for (const Aggregate& aggregate : aggregates_) states.push_back(aggregate.MakeState());
  std::vector<uint32_t> numbers;
  while (auto batch = input.Next()) {
    scope.ThrowIfCancelled();
    groups.Number(batch->schema(), batch->array(), &numbers);
    for (size_t i = 0; i < states.size(); ++i) {
      scope.ThrowIfCancelled();
      states[i]->Grow(groups.size());
      aggregates_[i].Add(states[i].get(), batch->schema(), batch->array(), numbers);
    }
  }
  const auto resize = scope.services().resize;
  std::vector<alloy::AnyOutput> columns = groups.Columns(resize);
  for (size_t i = 0; i < states.size(); ++i) {
    states[i]->Grow(groups.size());
    columns.push_back(aggregates_[i].Finish(states[i].get(), resize));
    states[i].reset();
  }
  ArrowArray batch{};
  alloy::GiveBatch(&batch, std::move(columns));
  return Slices(&batch);
}

}  // namespace aggregate
