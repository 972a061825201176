// SPDX-License-Identifier: MIT
//
// The walk behind check.h and batch.h. Nothing here makes a Status: a walk that passes
// writes nothing, and one that fails leaves a ShapeFault for the cold path.
//
// Threads  one walk belongs to one thread.
#ifndef ALLOY_SRC_GATE_SHAPE_H_
#define ALLOY_SRC_GATE_SHAPE_H_

#include <cstdint>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"

namespace alloy::core {

struct ShapeFault {
  enum Bound : uint8_t { kExactly, kAtLeast, kAtMost, kBuffer, kPointer, kEnd };

  int32_t reason = 0;
  int32_t node = 0;
  Bound bound = kExactly;
  int64_t wanted = 0;  // kBuffer: which; kEnd: the length
  int64_t found = 0;   // kEnd: the offset
};

class ShapeWalk {
 public:
  explicit ShapeWalk(const Layout& layout) : nodes_(layout.nodes().data()) {}

  // Whether an array fits the whole layout.
  bool Check(const ArrowArray& array) { return CheckTree(nodes_, &array); }

  // After a Check that passed: whether a buffer is NULL that a length of 0 allows to be,
  // or a buffer is there that the type has no more.
  bool mend() const { return mend_; }
  // After a Check that passed: whether each child of the root ends with the root's rows.
  bool even() const { return even_; }
  // After a Check that failed.
  const ShapeFault& fault() const { return fault_; }

 private:
  using Node = Layout::Node;

  bool CheckTree(const Node* node, const ArrowArray* array);
  bool CheckHead(const Node* node, const ArrowArray* array);
  bool CheckFixed(const Node* node, const ArrowArray* array);
  bool CheckBody(const Node* node, const ArrowArray* array);
  bool CheckChildren(const Node* node, const ArrowArray* array, int64_t rows);
  bool FailShorter(const Node* node, const ArrowArray* array, int64_t rows);
  bool CheckValidity(const Node* node, const ArrowArray* array);
  bool CheckNeeded(const Node* node, const ArrowArray* array, int64_t buffer);
  bool CheckBufferCount(const Node* node, const ArrowArray* array);
  bool CheckOffsets(const Node* node, const ArrowArray* array, int64_t* last);
  bool CheckBytes(const Node* node, const ArrowArray* array);
  bool CheckViews(const Node* node, const ArrowArray* array);
  bool CheckList(const Node* node, const ArrowArray* array);
  bool CheckRunEnd(const Node* node, const ArrowArray* array);
  bool CheckNoNulls(const Node* node, const ArrowArray* array);

  bool Fail(const Node* node, int32_t reason, ShapeFault::Bound bound, int64_t wanted,
            int64_t found);

  const Node* nodes_;
  bool mend_ = false;
  // Of the node whose children were checked last: the root, in the end.
  bool even_ = true;
  ShapeFault fault_;
};

// The fault in words.
Status ShapeStatus(const Layout& layout, const ShapeFault& fault);

// Whether any of the rows is null; the array has passed the gate.
bool AnyNull(const void* bitmap, int64_t offset, int64_t length);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_SHAPE_H_
