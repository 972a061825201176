// SPDX-License-Identifier: MIT
//
// Whether what the rows of one array lead to stays where it belongs: the checks of the
// levels safe and full, one for each way to lead somewhere. deep.h applies them to a
// tree.
//
// Rows are counted from the start of the buffers. Each answers the first row at fault,
// counted from `begin`, or -1. What they read was checked at level shape.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_FOLLOW_H_
#define ALLOY_SRC_GATE_FOLLOW_H_

#include <cstdint>
#include <span>

#include "alloy/arrow_abi.h"
#include "arrow/format.h"
#include "base/bits.h"

namespace alloy::core {

// Rows `begin` to `begin + count` of some buffers.
struct RowRange {
  int64_t begin = 0;
  int64_t count = 0;
};

// Which rows are null; where none is, what a row holds is followed.
struct Nulls {
  const void* bitmap = nullptr;

  explicit Nulls(const ArrowArray& array)
      : bitmap(array.null_count == 0 ? nullptr : array.buffers[0]) {}
  bool At(int64_t row) const { return bitmap != nullptr && !BitAt(bitmap, row); }
};

// An offset, a run end or an index of 1, 2, 4 or 8 bytes, signed.
int64_t LoadSigned(const void* values, int64_t index, uint8_t bytes);

// Offsets: the one after a row is not below its own, and none is negative.
int64_t FirstFallingOffset(const void* offsets, uint8_t bytes, RowRange rows);

// Run ends: each above the one before it, and the first above 0.
int64_t FirstFallingRunEnd(const void* ends, uint8_t bytes, int64_t count);

// Indices of a dictionary: 0 to n_values - 1, where the row is not null.
int64_t FirstStrayIndex(const void* indices, Type type, RowRange rows, int64_t n_values,
                        Nulls nulls);

// Views of strings: inline, or within one of the buffers, where the row is not null.
int64_t FirstStrayView(const ArrowArray& array, RowRange rows);

// List views: within the rows of the child. "Every list-view value, including null
// values, has to guarantee" it ("Arrow columnar format", ListView Layout).
int64_t FirstStrayListView(const void* offsets, const void* sizes, uint8_t bytes,
                           RowRange rows, int64_t n_values);

// Type ids of a union: those for which `children` (128 of them) has no -1.
int64_t FirstStrayTypeId(const void* ids, RowRange rows,
                         std::span<const int8_t, 128> children);

// Offsets of a dense union, whose type ids were checked: within the child that the type
// id names; `lengths` is by type id.
int64_t FirstStrayUnionOffset(const void* ids, const void* offsets, RowRange rows,
                              std::span<const int64_t, 128> lengths);

// Text behind checked offsets: UTF-8, where the row is not null.
int64_t FirstBadText(const ArrowArray& array, uint8_t bytes, RowRange rows);

// Checked views: zeros behind what lies inline, a prefix that is that of the text and,
// where `utf8`, text that is UTF-8, where the row is not null.
struct ViewFault {
  int64_t row = -1;
  bool text = false;  // the text, else the prefix or the padding
};
ViewFault FirstBadView(const ArrowArray& array, RowRange rows, bool utf8);

// Nulls among the rows, by the bitmap.
int64_t CountNulls(const void* bitmap, RowRange rows);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_FOLLOW_H_
