// SPDX-License-Identifier: MIT
#include "alloy/backend.hpp"

namespace {

// One batch with the total so far, for each batch that comes in.
struct Totals {
  Totals(alloy::Scope&, const alloy::Options&, std::span<const ArrowSchema>) {}
  static alloy::Schema OutputSchema() {
    return alloy::Schema::Batch(
        std::vector<alloy::Field>{{.name = "total", .format = "l"}});
  }
  bool Next(alloy::Scope& scope, std::span<alloy::Input> inputs, ArrowArray* output) {
    auto batch = inputs[0].Next();
    if (!batch) return false;
    for (auto x : batch->Get<alloy::Column<int64_t>>("x")) total_ += x.value_or(0);
    alloy::Output<int64_t> total(scope.services().resize);
    total.Append(total_);
    alloy::GiveBatch(output, std::move(total));
    return true;
  }
  int64_t total_ = 0;
};

}  // namespace

ALLOY_BACKEND("acme.totals", "0.1.0", alloy::Streams<Totals>("totals"))
