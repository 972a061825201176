// SPDX-License-Identifier: MIT
//
// The table of layouts: how the arrays of each Form lie in memory. One row describes one
// layout of the "Arrow columnar format"; layout.h and the gate read their rules here.
//
// A new layout is a new Form and a new row. If it has offsets, views or other values that
// point elsewhere, it also needs a check of its rows (gate/rows.cc).
//
// Threads  constants: shared.
#ifndef ALLOY_SRC_ARROW_LAYOUT_RULES_H_
#define ALLOY_SRC_ARROW_LAYOUT_RULES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "arrow/format.h"

namespace alloy::core {

// Where an array's nulls are recorded.
enum class NullsIn : uint8_t {
  kBitmap,    // buffer 0 is a validity bitmap, and may be NULL
  kChildren,  // the children have nulls, the array itself has none
  kEveryRow,  // every row is null
};

enum class ChildCount : uint8_t { kZero, kOne, kTwo, kOnePerTypeId, kAny };

// How many rows each child must have. `end` is the array's offset + length.
enum class ChildRows : uint8_t {
  kAny,         // no rule: the row checks compare the values with the child's length
  kEnd,         // end
  kEndTimes,    // end times the size of a fixed-size list
  kLastOffset,  // the offset after the last row
};

// The size of a row in the widest buffer, which limits the largest `end`.
enum class RowBytes : uint8_t {
  kNone,      // no buffer has bytes for each row, or only a bit
  kValue,     // the value: `bits` of the format
  kInteger,   // one offset or size
  kOffset,    // one offset, and the buffer has one more offset than rows
  kView,      // a view, 16 bytes
  kListSize,  // no bytes, but `size` rows of the child
};

// A set of buffers by index: Buffers(1, 2) are the second and the third.
template <typename... Index>
constexpr uint8_t Buffers(Index... index) {
  return static_cast<uint8_t>((0U | ... | (1U << static_cast<unsigned>(index))));
}

struct LayoutRule {
  Form form;
  uint8_t n_buffers;  // of views: the least, without the variadic buffers
  NullsIn nulls;
  uint8_t needed;  // buffers that must not be NULL if there are rows
  ChildCount children;
  ChildRows child_rows;
  RowBytes row_bytes;
  bool points_elsewhere;  // values are offsets, views, indices, type ids or run ends
};

inline constexpr auto kLayoutRules = [] {
  using F = Form;
  using N = NullsIn;
  using C = ChildCount;
  using R = ChildRows;
  using B = RowBytes;
  return std::to_array<LayoutRule>({
      // form, buffers, nulls, needed buffers, children, their rows, bytes, points elsewhere
      {F::kFixed, 2, N::kBitmap, Buffers(1), C::kZero, R::kAny, B::kValue, false},
      {F::kOffsets, 3, N::kBitmap, Buffers(1), C::kZero, R::kAny, B::kOffset, true},
      {F::kViews, 3, N::kBitmap, Buffers(1), C::kZero, R::kAny, B::kView, true},
      {F::kList, 2, N::kBitmap, Buffers(1), C::kOne, R::kLastOffset, B::kOffset, true},
      {F::kListView, 3, N::kBitmap, Buffers(1, 2), C::kOne, R::kAny, B::kInteger, true},
      {F::kFixedSizeList, 1, N::kBitmap, Buffers(), C::kOne, R::kEndTimes, B::kListSize,
       false},
      {F::kStruct, 1, N::kBitmap, Buffers(), C::kAny, R::kEnd, B::kNone, false},
      {F::kSparseUnion, 1, N::kChildren, Buffers(0), C::kOnePerTypeId, R::kEnd, B::kNone,
       true},
      {F::kDenseUnion, 2, N::kChildren, Buffers(0, 1), C::kOnePerTypeId, R::kAny,
       B::kInteger, true},
      {F::kRunEnd, 0, N::kChildren, Buffers(), C::kTwo, R::kAny, B::kNone, true},
      {F::kNull, 0, N::kEveryRow, Buffers(), C::kZero, R::kAny, B::kNone, false},
  });
}();

constexpr const LayoutRule& RuleOf(Form form) {
  return kLayoutRules[static_cast<size_t>(form)];
}

// True if a table has one row for each form, at the place of the form.
template <typename Row, size_t n>
constexpr bool HasEachForm(const std::array<Row, n>& table) {
  for (size_t form = 0; form < n; ++form) {
    if (table[form].form != static_cast<Form>(form)) return false;
  }
  return n == static_cast<size_t>(kLastForm) + 1;
}
static_assert(HasEachForm(kLayoutRules));

// True if arrays of this form begin with a validity bitmap.
constexpr bool HasBitmap(Form form) { return RuleOf(form).nulls == NullsIn::kBitmap; }

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_LAYOUT_RULES_H_
