// SPDX-License-Identifier: MIT
#include "gate/check.h"

#include "alloy/reason.h"
#include "arrow/load_value.h"
#include "gate/shape.h"

namespace alloy::core {
namespace {

// The index of a variadic buffer is an int32.
constexpr int64_t kMostViewBuffers = (int64_t{1} << 31) + 3;

int64_t LoadInteger(const void* base, int64_t index, uint8_t bytes) {
  if (bytes == 2) return LoadValue<int16_t>(base, index);
  if (bytes == 4) return LoadValue<int32_t>(base, index);
  return LoadValue<int64_t>(base, index);
}

// True only for what CheckFixed passes without a remark; the few branches are for speed.
// Unsigned, so that nothing overflows: a negative number shows as the highest bit.
inline bool FitsPlainly(const Layout::Node& node, const ArrowArray& array) {
  const auto length = static_cast<uint64_t>(array.length);
  const auto offset = static_cast<uint64_t>(array.offset);
  const auto nulls = static_cast<uint64_t>(array.null_count);
  const uint64_t room = static_cast<uint64_t>(node.max_end) - length;
  const uint64_t signs =
      length | offset | room | (room - offset) | (nulls + 1) | (length - nulls);
  const uint64_t strangers = static_cast<uint64_t>(array.n_children) |
                             static_cast<uint64_t>(array.n_buffers ^ 2) |
                             reinterpret_cast<uintptr_t>(array.dictionary);
  return ((signs >> 63) | strangers) == 0 && array.release != nullptr &&
         array.buffers != nullptr && array.buffers[1] != nullptr &&
         (array.null_count <= 0 || array.buffers[0] != nullptr);
}

}  // namespace

// Small on purpose: this is all that the common column, of fixed width, runs through.
inline bool ShapeWalk::CheckHead(const Node* node, const ArrowArray* array) {
  using enum ShapeFault::Bound;
  if (array->release == nullptr) [[unlikely]] {
    return Fail(node, ALLOY_REASON_ARRAY_RELEASED, kPointer, 0, 0);
  }
  if (array->length < 0) [[unlikely]] {
    return Fail(node, ALLOY_REASON_LENGTH, kAtLeast, 0, array->length);
  }
  if (array->offset < 0) [[unlikely]] {
    return Fail(node, ALLOY_REASON_OFFSET, kAtLeast, 0, array->offset);
  }
  if (array->offset > node->max_end - array->length) [[unlikely]] {
    return Fail(node, ALLOY_REASON_OVERFLOW, kEnd, array->length, array->offset);
  }
  if (array->null_count < -1) [[unlikely]] {
    return Fail(node, ALLOY_REASON_NULL_COUNT, kAtLeast, -1, array->null_count);
  }
  if (array->null_count > array->length) [[unlikely]] {
    return Fail(node, ALLOY_REASON_NULL_COUNT, kAtMost, array->length, array->null_count);
  }
  if (array->n_children != node->n_children) [[unlikely]] {
    return Fail(node, ALLOY_REASON_CHILD_COUNT, kExactly, node->n_children,
                array->n_children);
  }
  if ((array->dictionary != nullptr) != node->dictionary) [[unlikely]] {
    return Fail(node,
                node->dictionary ? ALLOY_REASON_DICTIONARY_MISSING
                                 : ALLOY_REASON_DICTIONARY_UNEXPECTED,
                kPointer, 0, 0);
  }
  if (array->n_buffers != node->n_buffers && !CheckBufferCount(node, array))
      [[unlikely]] {
    return false;
  }
  if (array->buffers == nullptr && array->n_buffers > 0) [[unlikely]] {
    return Fail(node, ALLOY_REASON_BUFFERS_NULL, kPointer, 0, 0);
  }
  return true;
}

inline bool ShapeWalk::CheckValidity(const Node* node, const ArrowArray* array) {
  if (array->null_count > 0 && array->buffers[0] == nullptr) [[unlikely]] {
    return Fail(node, ALLOY_REASON_NULLS_WITHOUT_BITMAP, ShapeFault::kExactly, 0,
                array->null_count);
  }
  return true;
}

// A buffer that has bytes as soon as there are rows.
inline bool ShapeWalk::CheckNeeded(const Node* node, const ArrowArray* array,
                                   int64_t buffer) {
  if (array->buffers[buffer] != nullptr) [[likely]]
    return true;
  if (array->length > 0) {
    return Fail(node, ALLOY_REASON_BUFFER_NULL, ShapeFault::kBuffer, buffer, 0);
  }
  mend_ = true;
  return true;
}

inline bool ShapeWalk::CheckFixed(const Node* node, const ArrowArray* array) {
  if (!CheckHead(node, array) || !CheckValidity(node, array)) [[unlikely]]
    return false;
  if (array->buffers[1] == nullptr) [[unlikely]] {
    if (node->sized) return CheckNeeded(node, array, 1);
    mend_ = true;
  }
  return true;
}

bool ShapeWalk::CheckTree(const Node* node, const ArrowArray* array) {
  if (node->form == Form::kFixed) {
    if (!CheckFixed(node, array)) [[unlikely]]
      return false;
  } else if (!CheckHead(node, array) || !CheckBody(node, array)) [[unlikely]] {
    return false;
  }
  return !node->dictionary || CheckTree(node + 1, array->dictionary);
}

bool ShapeWalk::CheckBody(const Node* node, const ArrowArray* array) {
  const int64_t end = array->offset + array->length;
  switch (node->form) {
    case Form::kFixed:
    case Form::kNull:
      return true;
    case Form::kOffsets:
      return CheckValidity(node, array) && CheckBytes(node, array);
    case Form::kViews:
      return CheckValidity(node, array) && CheckViews(node, array);
    case Form::kList:
      return CheckValidity(node, array) && CheckList(node, array);
    case Form::kListView:
      return CheckValidity(node, array) && CheckNeeded(node, array, 1) &&
             CheckNeeded(node, array, 2) && CheckChildren(node, array, 0);
    case Form::kFixedSizeList:
      return CheckValidity(node, array) && CheckChildren(node, array, end * node->size);
    case Form::kStruct:
      return CheckValidity(node, array) && CheckChildren(node, array, end);
    case Form::kSparseUnion:
      return CheckNoNulls(node, array) && CheckNeeded(node, array, 0) &&
             CheckChildren(node, array, end);
    case Form::kDenseUnion:
      return CheckNoNulls(node, array) && CheckNeeded(node, array, 0) &&
             CheckNeeded(node, array, 1) && CheckChildren(node, array, 0);
    case Form::kRunEnd:
      return CheckNoNulls(node, array) && CheckChildren(node, array, 0) &&
             CheckRunEnd(node, array);
  }
  return false;
}

// All children are well-formed and have these rows, or more.
bool ShapeWalk::CheckChildren(const Node* node, const ArrowArray* array, int64_t rows) {
  const int32_t n = node->n_children;
  if (n > 0 && array->children == nullptr) [[unlikely]] {
    return Fail(node, ALLOY_REASON_CHILDREN_NULL, ShapeFault::kPointer, 0, 0);
  }
  int64_t shorter = 0, uneven = 0;
  const Node* child = node + 1;
  for (int32_t i = 0; i < n; ++i, child += child->subtree) {
    const ArrowArray* below = array->children[i];
    if (below == nullptr) [[unlikely]] {
      return Fail(child, ALLOY_REASON_CHILD_NULL, ShapeFault::kPointer, 0, 0);
    }
    const bool plain = child->subtree == 1 && child->form == Form::kFixed;
    if (!(plain && FitsPlainly(*child, *below)) && !CheckTree(child, below)) {
      return false;
    }
    shorter |= below->length - rows;  // neither is negative
    uneven |= below->length ^ rows;
  }
  even_ = uneven == 0;
  return shorter >= 0 || FailShorter(node, array, rows);
}

bool ShapeWalk::FailShorter(const Node* node, const ArrowArray* array, int64_t rows) {
  const Node* child = node + 1;
  int32_t i = 0;
  for (; array->children[i]->length >= rows; ++i) child += child->subtree;
  return Fail(child, ALLOY_REASON_CHILD_LENGTH, ShapeFault::kAtLeast, rows,
              array->children[i]->length);
}

bool ShapeWalk::CheckBufferCount(const Node* node, const ArrowArray* array) {
  const int64_t found = array->n_buffers;
  if (node->form == Form::kViews) {
    if (found > node->n_buffers && found <= kMostViewBuffers) return true;
    return Fail(node, ALLOY_REASON_VIEW_BUFFER_COUNT,
                found < node->n_buffers ? ShapeFault::kAtLeast : ShapeFault::kAtMost,
                found < node->n_buffers ? node->n_buffers : kMostViewBuffers, found);
  }
  if (node->form == Form::kNull && found == 1) {
    mend_ = true;  // a validity bitmap, as Arrow had it before 1.0
    return true;
  }
  return Fail(node, ALLOY_REASON_BUFFER_COUNT, ShapeFault::kExactly, node->n_buffers,
              found);
}

// The first and the last offset; *last is 0 where there are no rows, for then the offsets
// may not even be there.
bool ShapeWalk::CheckOffsets(const Node* node, const ArrowArray* array, int64_t* last) {
  *last = 0;
  if (!CheckNeeded(node, array, 1)) return false;
  if (array->length == 0) return true;
  const void* offsets = array->buffers[1];
  const int64_t first = LoadInteger(offsets, array->offset, node->offset_bytes);
  *last = LoadInteger(offsets, array->offset + array->length, node->offset_bytes);
  if (first < 0) {
    return Fail(node, ALLOY_REASON_OFFSETS, ShapeFault::kAtLeast, 0, first);
  }
  if (*last < first) {
    return Fail(node, ALLOY_REASON_OFFSETS, ShapeFault::kAtLeast, first, *last);
  }
  return true;
}

bool ShapeWalk::CheckBytes(const Node* node, const ArrowArray* array) {
  int64_t last = 0;
  if (!CheckOffsets(node, array, &last)) return false;
  if (array->buffers[2] != nullptr) return true;
  if (last > 0) return Fail(node, ALLOY_REASON_BUFFER_NULL, ShapeFault::kBuffer, 2, 0);
  mend_ = true;
  return true;
}

bool ShapeWalk::CheckViews(const Node* node, const ArrowArray* array) {
  if (!CheckNeeded(node, array, 1)) return false;
  const int64_t n = array->n_buffers - 3;
  const void* sizes = array->buffers[array->n_buffers - 1];
  if (sizes == nullptr) {
    if (n > 0) return Fail(node, ALLOY_REASON_VIEW_SIZES, ShapeFault::kPointer, 0, 0);
    mend_ = true;
    return true;
  }
  for (int64_t i = 0; i < n; ++i) {
    const int64_t size = LoadValue<int64_t>(sizes, i);
    if (size < 0) {
      return Fail(node, ALLOY_REASON_VIEW_SIZES, ShapeFault::kAtLeast, 0, size);
    }
    if (array->buffers[2 + i] != nullptr) continue;
    if (size > 0) {
      return Fail(node, ALLOY_REASON_BUFFER_NULL, ShapeFault::kBuffer, 2 + i, 0);
    }
    mend_ = true;
  }
  return true;
}

bool ShapeWalk::CheckList(const Node* node, const ArrowArray* array) {
  int64_t last = 0;
  return CheckOffsets(node, array, &last) && CheckChildren(node, array, last);
}

// Unions and run-end arrays have no validity: their nulls are those of their children.
bool ShapeWalk::CheckNoNulls(const Node* node, const ArrowArray* array) {
  if (array->null_count <= 0) return true;
  return Fail(node, ALLOY_REASON_UNEXPECTED_NULLS, ShapeFault::kExactly, 0,
              array->null_count);
}

bool ShapeWalk::CheckRunEnd(const Node* node, const ArrowArray* array) {
  const Node* ends_node = node + 1;
  const Node* values_node = ends_node + ends_node->subtree;
  const ArrowArray* ends = array->children[0];
  const ArrowArray* values = array->children[1];
  if (ends->offset != 0) {
    return Fail(ends_node, ALLOY_REASON_RUN_ENDS_NULLS, ShapeFault::kExactly, 0,
                ends->offset);
  }
  // Builders leave a bitmap behind that says nothing.
  if (ends->null_count > 0 ||
      (ends->null_count < 0 && AnyNull(ends->buffers[0], 0, ends->length))) {
    return Fail(ends_node, ALLOY_REASON_RUN_ENDS_NULLS, ShapeFault::kExactly, 0,
                ends->null_count);
  }
  if (values->length < ends->length) {
    return Fail(values_node, ALLOY_REASON_CHILD_LENGTH, ShapeFault::kAtLeast,
                ends->length, values->length);
  }
  if (array->length == 0) return true;
  const int64_t end = array->offset + array->length;
  const int64_t covered =
      ends->length == 0
          ? 0
          : LoadInteger(ends->buffers[1], ends->length - 1, ends_node->offset_bytes);
  if (covered < end) {
    return Fail(ends_node, ALLOY_REASON_CHILD_LENGTH, ShapeFault::kAtLeast, end, covered);
  }
  return true;
}

bool ShapeWalk::Fail(const Node* node, int32_t reason, ShapeFault::Bound bound,
                     int64_t wanted, int64_t found) {
  fault_ = {.reason = reason,
            .node = static_cast<int32_t>(node - nodes_),
            .bound = bound,
            .wanted = wanted,
            .found = found};
  return false;
}

Status CheckShape(const Layout& layout, const ArrowArray& array) {
  ShapeWalk walk(layout);
  if (walk.Check(array)) [[likely]]
    return Status();
  return ShapeStatus(layout, walk.fault());
}

}  // namespace alloy::core
