// SPDX-License-Identifier: MIT
#include "gate/batch.h"

#include <string>
#include <utility>
#include <vector>

#include "alloy/reason.h"
#include "arrow/fault.h"
#include "arrow/load_value.h"
#include "gate/nullability.h"
#include "gate/nulls.h"
#include "gate/repair.h"
#include "gate/rows.h"
#include "gate/shape.h"

namespace alloy::core {
namespace {

// The root of a batch has rows, but none of them is null. A bitmap without nulls is
// removed by the repair.
Status CheckNoNullRows(const ArrowArray& batch) {
  const FaultPlace root;
  if (batch.null_count > 0) {
    return DataFault(ALLOY_REASON_BATCH_NULLS, root,
                     "the null count of a batch must be 0, but is " +
                         std::to_string(batch.null_count));
  }
  if (AnyNull(batch.buffers[0], {batch.offset, batch.length})) {
    return DataFault(
        ALLOY_REASON_BATCH_NULLS, root,
        "the validity bitmap of a batch must have no nulls; put them in the columns");
  }
  return Status();
}

// The repair cuts columns to the rows of the batch. The last offset of a cut column is then
// another one, which level shape has not seen: it must not be beyond the last offset of the
// whole column, because readers take it for the size of the data.
Status CheckCutOffsets(const Layout& layout, const ArrowArray& batch) {
  if (batch.length == 0) return Status();
  const Layout::Node* const root = layout.nodes().data();
  const Layout::Node* node = root + 1;
  for (int64_t i = 0; i < batch.n_children; ++i, node += node->subtree) {
    if (node->form != Form::kOffsets && node->form != Form::kList) continue;
    const ArrowArray& column = *batch.children[i];
    const auto at = [&](int64_t row) {
      return LoadSigned(column.buffers[1], column.offset + row, node->integer_bytes);
    };
    const int64_t first = at(batch.offset);
    const int64_t last = at(batch.offset + batch.length);
    const int64_t limit = at(column.length);
    if (first >= 0 && first <= last && last <= limit) [[likely]]
      continue;
    const auto number = static_cast<int32_t>(node - root) - 1;
    return DataFault(
        ALLOY_REASON_OFFSETS, {.column = number, .path = layout.Path(number)},
        "the rows of the batch have the offsets " + std::to_string(first) + " to " +
            std::to_string(last) + ", but the last offset of the column is " +
            std::to_string(limit));
  }
  return Status();
}

}  // namespace

Status AdmitBatch(const Layout& layout, Checks checks, ArrowArray* batch) {
  ShapeWalk walk(layout);
  if (!walk.Check(*batch)) [[unlikely]]
    return ShapeStatus(layout, walk.fault());
  bool repair = walk.needs_repair() || !walk.equal_lengths() || batch->offset != 0;
  if (batch->null_count != 0) [[unlikely]] {
    ALLOY_TRY(CheckNoNullRows(*batch));
    repair = true;
  }
  std::vector<Mend> mends;
  if (checks.rows()) {
    ALLOY_TRY(CheckRows(layout, checks, *batch, &mends));
    ALLOY_TRY(CheckNullability(layout, checks, *batch));
  } else if (repair) {
    ALLOY_TRY(CheckCutOffsets(layout, *batch));
  }
  if (!repair && mends.empty()) [[likely]]
    return Status();
  return RepairBatch(layout, std::move(mends), batch);
}

}  // namespace alloy::core
