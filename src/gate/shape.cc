// SPDX-License-Identifier: MIT
#include "gate/shape.h"

#include <bit>

#include "arrow/layout_rules.h"
#include "arrow/load_value.h"
#include "gate/nulls.h"

namespace alloy::core {
namespace {

// Views name a variadic buffer by an int32, so there may be 2^31 of them, and 3 more.
constexpr int64_t kMostViewBuffers = (int64_t{1} << 31) + 3;

// True only for arrays that CheckFixed passes and that need no repair. It spares
// the most frequent column the branches of CheckHead. The differences are unsigned, so
// that none overflows: a negative one has its highest bit set.
inline bool FitsPlainly(const Layout::Node& node, const ArrowArray& array) {
  const auto length = static_cast<uint64_t>(array.length);
  const auto offset = static_cast<uint64_t>(array.offset);
  const auto nulls = static_cast<uint64_t>(array.null_count);
  const uint64_t room = static_cast<uint64_t>(node.max_end) - length;
  const uint64_t signs =
      length | offset | room | (room - offset) | (nulls + 1) | (length - nulls);
  const uint64_t unexpected = static_cast<uint64_t>(array.n_children) |
                              static_cast<uint64_t>(array.n_buffers ^ 2) |
                              reinterpret_cast<uintptr_t>(array.dictionary);
  return ((signs >> 63) | unexpected) == 0 && array.release != nullptr &&
         array.buffers != nullptr && array.buffers[1] != nullptr &&
         (array.null_count <= 0 || array.buffers[0] != nullptr);
}

}  // namespace

bool ShapeWalk::CheckTree(const Node* node, const ArrowArray* array) {
  // Most columns have a fixed width; they take the short way.
  if (node->form == Form::kFixed) {
    if (!CheckFixed(node, array)) [[unlikely]]
      return false;
  } else if (!CheckHead(node, array) || !CheckBody(node, array)) [[unlikely]] {
    return false;
  }
  return !node->dictionary || CheckTree(node + 1, array->dictionary);
}

// The fields that every struct has. Later checks may use all pointers that passed here.
inline bool ShapeWalk::CheckHead(const Node* node, const ArrowArray* array) {
  if (array->release == nullptr) [[unlikely]] {
    return Fail(node, ShapeFault::kReleased);
  }
  if (array->length < 0) [[unlikely]] {
    return Fail(node, ShapeFault::kNegativeLength, 0, array->length);
  }
  if (array->offset < 0) [[unlikely]] {
    return Fail(node, ShapeFault::kNegativeOffset, 0, array->offset);
  }
  if (array->offset > node->max_end - array->length) [[unlikely]] {
    return Fail(node, ShapeFault::kOverflow, array->length, array->offset);
  }
  if (array->null_count < -1) [[unlikely]] {
    return Fail(node, ShapeFault::kLowNullCount, -1, array->null_count);
  }
  if (array->null_count > array->length) [[unlikely]] {
    return Fail(node, ShapeFault::kHighNullCount, array->length, array->null_count);
  }
  if (array->n_children != node->n_children) [[unlikely]] {
    return Fail(node, ShapeFault::kChildCount, node->n_children, array->n_children);
  }
  if ((array->dictionary != nullptr) != node->dictionary) [[unlikely]] {
    return Fail(node, node->dictionary ? ShapeFault::kDictionaryMissing
                                       : ShapeFault::kDictionaryUnexpected);
  }
  if (array->n_buffers != node->n_buffers && !CheckBufferCount(node, array))
      [[unlikely]] {
    return false;
  }
  if (array->buffers == nullptr && array->n_buffers > 0) [[unlikely]] {
    return Fail(node, ShapeFault::kBuffersNull);
  }
  return true;
}

inline bool ShapeWalk::CheckFixed(const Node* node, const ArrowArray* array) {
  if (!CheckHead(node, array) || !CheckBitmap(node, array)) [[unlikely]]
    return false;
  if (array->buffers[1] == nullptr) [[unlikely]] {
    // Values of no bits (w:0) have no bytes, however many rows there are.
    if (node->has_bytes) return CheckNeeded(node, array, 1);
    needs_repair_ = true;
  }
  return true;
}

// All layouts except kFixed, by their row in the table of layouts.
bool ShapeWalk::CheckBody(const Node* node, const ArrowArray* array) {
  const int64_t end = array->offset + array->length;
  if (node->form == Form::kStruct) {
    // What its row in the table says, without a look into the table: every batch comes
    // through here.
    return CheckBitmap(node, array) && CheckChildren(node, array, end);
  }
  const LayoutRule& rule = RuleOf(node->form);
  if (rule.nulls == NullsIn::kBitmap && !CheckBitmap(node, array)) return false;
  if (rule.nulls == NullsIn::kChildren && !CheckNoNulls(node, array)) return false;
  if (rule.needed != 0 && !CheckNeededBuffers(node, array, rule.needed)) return false;
  int64_t last = 0;
  switch (rule.child_rows) {
    case ChildRows::kEnd:
      return CheckChildren(node, array, end);
    case ChildRows::kEndTimes:
      return CheckChildren(node, array, end * node->size);  // max_end: no overflow
    case ChildRows::kLastOffset:
      return CheckOffsets(node, array, &last) && CheckChildren(node, array, last);
    case ChildRows::kAny:
      break;
  }
  // Three layouts have values that only they have.
  if (node->form == Form::kOffsets) return CheckBytes(node, array);
  if (node->form == Form::kViews) return CheckViews(node, array);
  return CheckChildren(node, array, 0) &&
         (node->form != Form::kRunEnd || CheckRunEnds(node, array));
}

bool ShapeWalk::CheckBufferCount(const Node* node, const ArrowArray* array) {
  const int64_t found = array->n_buffers;
  if (node->form == Form::kViews) {
    if (found < node->n_buffers) {
      return Fail(node, ShapeFault::kTooFewViewBuffers, node->n_buffers, found);
    }
    return found <= kMostViewBuffers ||
           Fail(node, ShapeFault::kTooManyViewBuffers, kMostViewBuffers, found);
  }
  if (node->form == Form::kNull && found == 1) {
    needs_repair_ = true;  // a validity bitmap, as in Arrow before version 1.0
    return true;
  }
  return Fail(node, ShapeFault::kBufferCount, node->n_buffers, found);
}

inline bool ShapeWalk::CheckBitmap(const Node* node, const ArrowArray* array) {
  if (array->null_count > 0 && array->buffers[0] == nullptr) [[unlikely]] {
    return Fail(node, ShapeFault::kNullsWithoutBitmap, 0, array->null_count);
  }
  return true;
}

// The nulls of unions and run-end arrays are those of their children.
bool ShapeWalk::CheckNoNulls(const Node* node, const ArrowArray* array) {
  return array->null_count <= 0 ||
         Fail(node, ShapeFault::kUnexpectedNulls, 0, array->null_count);
}

// A buffer that has bytes if there are rows.
inline bool ShapeWalk::CheckNeeded(const Node* node, const ArrowArray* array,
                                   int64_t buffer) {
  if (array->buffers[buffer] != nullptr) [[likely]]
    return true;
  if (array->length > 0) return Fail(node, ShapeFault::kBufferNull, 0, buffer);
  needs_repair_ = true;
  return true;
}

// The same for a set of buffers.
bool ShapeWalk::CheckNeededBuffers(const Node* node, const ArrowArray* array,
                                   unsigned buffers) {
  for (; buffers != 0; buffers &= buffers - 1) {
    if (!CheckNeeded(node, array, std::countr_zero(buffers))) return false;
  }
  return true;
}

// The first and the last offset. *last is 0 without rows: then the buffer of offsets may
// be empty, and none can be read.
bool ShapeWalk::CheckOffsets(const Node* node, const ArrowArray* array, int64_t* last) {
  *last = 0;
  if (array->length == 0) return true;
  const void* offsets = array->buffers[1];
  const int64_t first = LoadSigned(offsets, array->offset, node->integer_bytes);
  *last = LoadSigned(offsets, array->offset + array->length, node->integer_bytes);
  if (first < 0) return Fail(node, ShapeFault::kNegativeFirstOffset, 0, first);
  return *last >= first || Fail(node, ShapeFault::kLowLastOffset, first, *last);
}

// Offsets and the bytes behind them.
bool ShapeWalk::CheckBytes(const Node* node, const ArrowArray* array) {
  int64_t last = 0;
  if (!CheckOffsets(node, array, &last)) return false;
  if (array->buffers[2] != nullptr) return true;
  if (last > 0) return Fail(node, ShapeFault::kBufferNull, 0, 2);
  needs_repair_ = true;
  return true;
}

// The variadic buffers of views and the last buffer, which holds their sizes.
bool ShapeWalk::CheckViews(const Node* node, const ArrowArray* array) {
  const int64_t n = array->n_buffers - 3;
  const void* sizes = array->buffers[array->n_buffers - 1];
  if (sizes == nullptr) {
    if (n > 0) return Fail(node, ShapeFault::kViewSizesNull);
    needs_repair_ = true;
    return true;
  }
  for (int64_t i = 0; i < n; ++i) {
    const int64_t size = LoadValue<int64_t>(sizes, i);
    if (size < 0) return Fail(node, ShapeFault::kNegativeViewSize, 0, size);
    if (array->buffers[2 + i] != nullptr) continue;
    if (size > 0) return Fail(node, ShapeFault::kBufferNull, 0, 2 + i);
    needs_repair_ = true;
  }
  return true;
}

// All children are well-formed and have at least `rows` rows.
bool ShapeWalk::CheckChildren(const Node* node, const ArrowArray* array, int64_t rows) {
  const int32_t n = node->n_children;
  if (n > 0 && array->children == nullptr) [[unlikely]] {
    return Fail(node, ShapeFault::kChildrenNull);
  }
  // The lengths are compared without a branch, and all at the end.
  int64_t shorter = 0, different = 0;
  const Node* child = node + 1;
  for (int32_t i = 0; i < n; ++i, child += child->subtree) {
    const ArrowArray* below = array->children[i];
    if (below == nullptr) [[unlikely]] {
      return Fail(child, ShapeFault::kChildNull);
    }
    const bool plain = child->subtree == 1 && child->form == Form::kFixed;
    if (!(plain && FitsPlainly(*child, *below)) && !CheckTree(child, below)) {
      return false;
    }
    shorter |= below->length - rows;  // neither is negative, so this does not overflow
    different |= below->length ^ rows;
  }
  equal_lengths_ = different == 0;
  return shorter >= 0 || FailShorter(node, array, rows);
}

// Finds the child that CheckChildren knows to be too short.
bool ShapeWalk::FailShorter(const Node* node, const ArrowArray* array, int64_t rows) {
  const Node* child = node + 1;
  int32_t i = 0;
  for (; array->children[i]->length >= rows; ++i) child += child->subtree;
  return Fail(child, ShapeFault::kChildTooShort, rows, array->children[i]->length);
}

// After CheckChildren: the run ends are an integer array, and cover all rows.
bool ShapeWalk::CheckRunEnds(const Node* node, const ArrowArray* array) {
  const Node* ends_node = node + 1;
  const Node* values_node = ends_node + ends_node->subtree;
  const ArrowArray* ends = array->children[0];
  const ArrowArray* values = array->children[1];
  if (ends->offset != 0) {
    return Fail(ends_node, ShapeFault::kRunEndsOffset, 0, ends->offset);
  }
  // Some builders leave a bitmap here in which every row is valid. That is accepted.
  if (ends->null_count > 0 ||
      (ends->null_count < 0 && AnyNull(ends->buffers[0], {0, ends->length}))) {
    return Fail(ends_node, ShapeFault::kRunEndsNulls);
  }
  if (values->length < ends->length) {
    return Fail(values_node, ShapeFault::kChildTooShort, ends->length, values->length);
  }
  if (array->length == 0) return true;
  const int64_t end = array->offset + array->length;
  const int64_t covered =
      ends->length == 0
          ? 0
          : LoadSigned(ends->buffers[1], ends->length - 1, ends_node->integer_bytes);
  return covered >= end || Fail(ends_node, ShapeFault::kRunEndsTooShort, end, covered);
}

bool ShapeWalk::Fail(const Node* node, ShapeFault::Kind kind, int64_t expected,
                     int64_t found) {
  fault_ = {.kind = kind,
            .node = static_cast<int32_t>(node - nodes_),
            .expected = expected,
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
