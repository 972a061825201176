// SPDX-License-Identifier: MIT
#include "arrow/project.h"

#include <string>
#include <utility>

#include "alloy/block.hpp"
#include "arrow/fault.h"
#include "arrow/schema.h"
#include "arrow/schema_walk.h"

namespace alloy::core {
namespace {

Status CheckColumns(const Projection& projection, int64_t n_columns) {
  for (const int32_t column : projection.columns) {
    if (column < 0 || column >= n_columns) {
      return Fail(ALLOY_INVALID, "there is no column " + std::to_string(column) +
                                     " in a batch of " + CountText(n_columns, "column"));
    }
  }
  return Status();
}

}  // namespace

Result<OwnedSchema> ProjectSchema(const ArrowSchema& batch_schema,
                                  const Projection& projection) {
  if (projection.identity) return CopySchema(batch_schema);
  ALLOY_TRY(WalkSchema(batch_schema, [](const SchemaPlace&) { return Status(); }));
  ALLOY_TRY(CheckColumns(projection, batch_schema.n_children));
  std::vector<ArrowSchema*> children;
  children.reserve(projection.columns.size());
  for (const int32_t column : projection.columns) {
    children.push_back(batch_schema.children[column]);
  }
  ArrowSchema projected = batch_schema;  // a view to copy from; never released
  projected.n_children = static_cast<int64_t>(children.size());
  projected.children = children.data();
  return CopySchema(projected);
}

Status ProjectBatch(const Projection& projection, ArrowArray* batch) {
  if (projection.identity) return Status();
  ALLOY_TRY(CheckColumns(projection, batch->n_children));
  const auto n = static_cast<int64_t>(projection.columns.size());
  OwnedArray original(batch);
  auto block = Block<OwnedArray>::Make(1 + n, 1, std::move(original));
  if (!block) {
    // Make did not move the batch, because there was no memory.
    original.MoveTo(batch);  // NOLINT(bugprone-use-after-move)
    return Fail(ALLOY_EXHAUSTED,
                "out of memory while selecting the columns that the function reads");
  }
  ArrowArray** columns = block.owner()->children;
  block.Init(batch, {.length = block.owner()->length, .n_buffers = 1, .n_children = n});
  // The columns are not copied: the old batch still owns them, and the block owns the old
  // batch.
  for (int64_t i = 0; i < n; ++i) {
    batch->children[i] = columns[projection.columns[static_cast<size_t>(i)]];
  }
  block.Finish();
  return Status();
}

}  // namespace alloy::core
