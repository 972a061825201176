// SPDX-License-Identifier: MIT
#include "gate/batch.h"

#include <string>
#include <utility>
#include <vector>

#include "alloy/reason.h"
#include "arrow/fault.h"
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
  }
  if (!repair && mends.empty()) [[likely]]
    return Status();
  return RepairBatch(layout, std::move(mends), batch);
}

}  // namespace alloy::core
