// SPDX-License-Identifier: MIT
#include "alloy/backend.hpp"

namespace {

// One batch with the total so far, for each batch that comes in.
struct Totals {
  using Outputs = alloy::Outputs<alloy::Member<"total", int64_t>>;
  Totals(alloy::Scope&, const alloy::Options&, std::span<const ArrowSchema>) {}
  bool Next(alloy::Scope&, std::span<alloy::Input> inputs, Outputs& outputs) {
    auto batch = inputs[0].Next();
    if (!batch) return false;
    for (auto x : batch->Get<alloy::Column<int64_t>>("x")) total_ += x.value_or(0);
    outputs.get<"total">().Append(total_);
    return true;
  }
  int64_t total_ = 0;
};

}  // namespace

ALLOY_BACKEND("acme.totals", "0.1.0", alloy::Streams<Totals>("totals"))
