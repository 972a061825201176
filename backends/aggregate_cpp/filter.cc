// SPDX-License-Identifier: MIT
#include "filter.h"

#include <string>
#include <vector>

#include "cells.h"
#include "gather.h"
#include "names.h"
#include "types.h"

namespace aggregate {

Filter::Filter(alloy::Scope& scope, const alloy::Options& options,
               std::span<const ArrowSchema> inputs)
    : schema_(alloy::Schema::Copy(inputs[0])),
      index_(IndexOf("column", inputs[0], options["column"])),
      predicate_(Predicate::Parse(options["column"], *inputs[0].children[index_],
                                  options["op"], options["value"])) {
  for (int64_t i = 0; i < schema_->n_children; ++i) {
    const ArrowSchema& column = *schema_->children[i];
    if (CanGather(column)) continue;
    scope.Fail(ALLOY_NO_MATCH,
               "column " + std::string(column.name) + " is " + TypeOf(column).name +
                   "; filter passes integers, floats, decimal128, booleans, strings, "
                   "dates, times and dictionaries");
  }
}

void Filter::Run(alloy::Scope& scope, std::span<ArrowArray> inputs,
                 ArrowArray* output) const {
  scope.ThrowIfCancelled();
  const std::vector<int64_t> rows =
      predicate_->Select(Cells(*schema_, inputs[0], index_));
  if (static_cast<int64_t>(rows.size()) == inputs[0].length) {
    alloy::Move(&inputs[0], output);
    return;
  }
  Gather(scope, *schema_, rows, &inputs[0], output);
}

}  // namespace aggregate
