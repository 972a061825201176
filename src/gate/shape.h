// SPDX-License-Identifier: MIT
//
// The gate at level shape: does an array fit its layout?
//
// It costs O(columns). Every pointer and count is checked before it is used. Of the
// values it reads only the first and the last offset, the last run end, and the sizes of
// variadic buffers. rows.h checks the other values, at the levels safe and full.
//
// Threads  shared; a ShapeWalk belongs to one thread.
#ifndef ALLOY_SRC_GATE_SHAPE_H_
#define ALLOY_SRC_GATE_SHAPE_H_

#include <cstdint>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"
#include "gate/shape_fault.h"

namespace alloy::core {

// Check an array of any type.
//   Fails  ALLOY_BAD_DATA  with reason and column, as Layout::Of counts them.
Status CheckShape(const Layout& layout, const ArrowArray& array);

// The same check for callers that must know more than whether it passed (batch.h).
class ShapeWalk {
 public:
  explicit ShapeWalk(const Layout& layout) : nodes_(layout.nodes().data()) {}

  // True if the array fits the layout.
  bool Check(const ArrowArray& array) { return CheckTree(nodes_, &array); }

  // After a Check that passed: true if a buffer without bytes is NULL, or if an array of
  // the null type has the validity bitmap that Arrow gave it before version 1.0.
  bool needs_repair() const { return needs_repair_; }
  // After a Check that passed: true if each child of the root ends with the root's rows.
  bool equal_lengths() const { return equal_lengths_; }
  // After a Check that failed.
  const ShapeFault& fault() const { return fault_; }

 private:
  using Node = Layout::Node;

  bool CheckTree(const Node* node, const ArrowArray* array);
  bool CheckHead(const Node* node, const ArrowArray* array);
  bool CheckFixed(const Node* node, const ArrowArray* array);
  bool CheckBody(const Node* node, const ArrowArray* array);
  bool CheckBufferCount(const Node* node, const ArrowArray* array);
  bool CheckBitmap(const Node* node, const ArrowArray* array);
  bool CheckNoNulls(const Node* node, const ArrowArray* array);
  bool CheckNeeded(const Node* node, const ArrowArray* array, int64_t buffer);
  bool CheckNeededBuffers(const Node* node, const ArrowArray* array, unsigned buffers);
  bool CheckOffsets(const Node* node, const ArrowArray* array, int64_t* last);
  bool CheckBytes(const Node* node, const ArrowArray* array);
  bool CheckViews(const Node* node, const ArrowArray* array);
  bool CheckRunEnds(const Node* node, const ArrowArray* array);
  bool CheckChildren(const Node* node, const ArrowArray* array, int64_t rows);
  bool FailShorter(const Node* node, const ArrowArray* array, int64_t rows);

  bool Fail(const Node* node, ShapeFault::Kind kind, int64_t expected = 0,
            int64_t found = 0);

  const Node* nodes_;
  bool needs_repair_ = false;
  // Of the node whose children were checked last. The root's come last.
  bool equal_lengths_ = true;
  ShapeFault fault_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_SHAPE_H_
