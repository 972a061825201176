// SPDX-License-Identifier: MIT
#include "gate/batch.h"

#include <string>
#include <utility>

#include "alloy/block.hpp"
#include "alloy/reason.h"
#include "arrow/fault.h"
#include "arrow/owned.h"
#include "gate/deep.h"
#include "gate/shape.h"

namespace alloy::core {
namespace {

// What stands in for a buffer of no bytes; offsets of no rows begin with a 0.
alignas(64) constexpr unsigned char kNothing[64] = {};

int64_t CountBuffers(const ArrowArray& array) {
  int64_t n = array.n_buffers;
  for (int64_t i = 0; i < array.n_children; ++i) n += CountBuffers(*array.children[i]);
  return array.dictionary == nullptr ? n : n + CountBuffers(*array.dictionary);
}

// Writes the tree anew: every node, so that what hangs together has one owner.
class Mender {
 public:
  Mender(Block<OwnedArray>* block, const Layout& layout)
      : block_(block), node_(layout.nodes().data()) {}

  void MendBatch(const ArrowArray& from, ArrowArray* to) {
    const Layout::Node* node = node_++;
    block_->Init(to, {.length = from.length,
                      .n_buffers = node->n_buffers,
                      .n_children = from.n_children});
    for (int64_t i = 0; i < from.n_children; ++i) {
      MendNode(*from.children[i], from.offset, from.length, to->children[i]);
    }
  }

 private:
  // `rows` of `from`, from `skip` on.
  void MendNode(const ArrowArray& from, int64_t skip, int64_t rows, ArrowArray* to) {
    const Layout::Node& node = *node_++;
    const bool buffers = node.form != Form::kNull;
    block_->Init(to, {.length = rows,
                      .null_count = NullCount(node, from, rows),
                      .offset = from.offset + skip,
                      .n_buffers = buffers ? from.n_buffers : 0,
                      .n_children = from.n_children,
                      .dictionary = node.dictionary});
    const int64_t validity = HasValidity(node.form) ? 1 : 0;
    for (int64_t i = 0; i < to->n_buffers; ++i) {
      to->buffers[i] = from.buffers[i];
      if (i < validity || to->buffers[i] != nullptr) continue;
      to->buffers[i] = kNothing;
      if (rows == 0) to->offset = 0;  // nothing has no beginning further on
    }
    if (node.dictionary) MendWhole(*from.dictionary, to->dictionary);
    for (int64_t i = 0; i < from.n_children; ++i) {
      MendWhole(*from.children[i], to->children[i]);
    }
  }

  void MendWhole(const ArrowArray& from, ArrowArray* to) {
    MendNode(from, 0, from.length, to);
  }

  static int64_t NullCount(const Layout::Node& node, const ArrowArray& from,
                           int64_t rows) {
    if (node.form == Form::kNull) return rows;
    if (!HasValidity(node.form) || from.buffers[0] == nullptr) return 0;
    return rows == from.length || from.null_count == 0 ? from.null_count : -1;
  }

  Block<OwnedArray>* block_;
  const Layout::Node* node_;
};

Status Mend(const Layout& layout, ArrowArray* batch) {
  const auto nodes = static_cast<int64_t>(layout.nodes().size());
  const int64_t buffers = CountBuffers(*batch);
  OwnedArray original(batch);
  auto block = Block<OwnedArray>::Make(nodes, buffers, std::move(original));
  if (!block) {
    // A block that was not made leaves the owner untouched.
    original.MoveTo(batch);  // NOLINT(bugprone-use-after-move)
    return Fail(ALLOY_EXHAUSTED, "no memory to mend a batch");
  }
  const ArrowArray from = *block.owner();
  Mender(&block, layout).MendBatch(from, batch);
  block.Finish();
  return Status();
}

}  // namespace

Status AdmitBatch(const Layout& layout, Level level, ArrowArray* batch) {
  ShapeWalk walk(layout);
  if (!walk.Check(*batch)) [[unlikely]]
    return ShapeStatus(layout, walk.fault());
  bool mend = walk.mend() || !walk.even() || batch->offset != 0;
  if (batch->null_count != 0) [[unlikely]] {
    const bool counted = batch->null_count > 0;
    if (counted || AnyNull(batch->buffers[0], batch->offset, batch->length)) {
      return DataFault(ALLOY_REASON_BATCH_NULLS, -1, "", "0",
                       counted ? std::to_string(batch->null_count) : "some");
    }
    mend = true;
  }
  if (level != Level::kShape) ALLOY_TRY(CheckDeep(layout, level, *batch));
  return mend ? Mend(layout, batch) : Status();
}

}  // namespace alloy::core
