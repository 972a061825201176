// SPDX-License-Identifier: MIT
#include "gate/repair.h"

#include <utility>
#include <vector>

#include "alloy/block.hpp"
#include "arrow/layout_rules.h"
#include "arrow/owned.h"

namespace alloy::core {
namespace {

// Takes the place of buffers without bytes. It is not empty, because a buffer of offsets
// without rows may be read as one offset, a 0.
alignas(64) constexpr unsigned char kNoBytes[64] = {};

int64_t CountBuffers(const ArrowArray& array) {
  int64_t n = array.n_buffers;
  for (int64_t i = 0; i < array.n_children; ++i) n += CountBuffers(*array.children[i]);
  return array.dictionary == nullptr ? n : n + CountBuffers(*array.dictionary);
}

// What the structs of a repaired batch point to.
struct Repaired {
  OwnedArray original;
  std::vector<MendedArray> mended;
};

// Writes all structs of the batch anew, also those that need no change: a tree has one
// owner, and that is the block.
class Rewriter {
 public:
  Rewriter(Block<Repaired>* block, const Layout& layout)
      : block_(block),
        node_(layout.nodes().data()),
        mended_(block->owner().mended.data()),
        mended_end_(mended_ + block->owner().mended.size()) {}

  void RewriteBatch(const ArrowArray& from, ArrowArray* to) {
    const Layout::Node* node = node_++;
    block_->Init(to, {.length = from.length,
                      .n_buffers = node->n_buffers,
                      .n_children = from.n_children});
    for (int64_t i = 0; i < from.n_children; ++i) {
      RewriteRows(*from.children[i], from.offset, from.length, to->children[i]);
    }
  }

 private:
  // `rows` rows of `from`, after the first `skip`. Nodes come in the order of the layout.
  void RewriteRows(const ArrowArray& from, int64_t skip, int64_t rows, ArrowArray* to) {
    const Layout::Node& node = *node_++;
    const bool buffers = node.form != Form::kNull;
    block_->Init(to, {.length = rows,
                      .null_count = NullCount(node, from, rows),
                      .offset = from.offset + skip,
                      .n_buffers = buffers ? from.n_buffers : 0,
                      .n_children = from.n_children,
                      .dictionary = node.dictionary});
    const MendedArray* mended = TakeMended(&node);
    if (mended != nullptr) to->offset = mended->offset;
    const int64_t first = HasBitmap(node.form) ? 1 : 0;
    for (int64_t i = 0; i < to->n_buffers; ++i) {
      to->buffers[i] = from.buffers[i];
      if (mended != nullptr && i < 3 &&
          mended->buffers[static_cast<size_t>(i)] != nullptr) {
        to->buffers[i] = mended->buffers[static_cast<size_t>(i)];
      }
      if (i < first || to->buffers[i] != nullptr) continue;
      to->buffers[i] = kNoBytes;
      // An empty array needs no offset, and with one a reader would leave kNoBytes.
      if (rows == 0) to->offset = 0;
    }
    if (node.dictionary) RewriteWhole(*from.dictionary, to->dictionary);
    for (int64_t i = 0; i < from.n_children; ++i) {
      RewriteWhole(*from.children[i], to->children[i]);
    }
  }

  // The mended arrays are in the order of the nodes.
  const MendedArray* TakeMended(const Layout::Node* node) {
    if (mended_ == mended_end_ || mended_->node != node) return nullptr;
    return mended_++;
  }

  void RewriteWhole(const ArrowArray& from, ArrowArray* to) {
    RewriteRows(from, 0, from.length, to);
  }

  static int64_t NullCount(const Layout::Node& node, const ArrowArray& from,
                           int64_t rows) {
    if (node.form == Form::kNull) return rows;
    if (!HasBitmap(node.form) || from.buffers[0] == nullptr) return 0;
    // A part of the rows may have fewer nulls, but never some where there were none.
    return rows == from.length || from.null_count == 0 ? from.null_count : -1;
  }

  Block<Repaired>* block_;
  const Layout::Node* node_;
  const MendedArray* mended_;
  const MendedArray* const mended_end_;
};

}  // namespace

Status RepairBatch(const Layout& layout, std::vector<Mend> mends, ArrowArray* batch) {
  const auto nodes = static_cast<int64_t>(layout.nodes().size());
  const int64_t buffers = CountBuffers(*batch);
  ALLOY_ASSIGN_OR_RETURN(std::vector<MendedArray> mended, MendArrays(std::move(mends)));
  Repaired repaired{.original = OwnedArray(batch), .mended = std::move(mended)};
  auto block = Block<Repaired>::Make(nodes, buffers, std::move(repaired));
  if (!block) {
    // Make did not move the batch, because there was no memory.
    repaired.original.MoveTo(batch);  // NOLINT(bugprone-use-after-move)
    return Fail(ALLOY_EXHAUSTED, "out of memory while repairing the structs of a batch");
  }
  const ArrowArray from = *block.owner().original;
  Rewriter(&block, layout).RewriteBatch(from, batch);
  block.Finish();
  return Status();
}

}  // namespace alloy::core
