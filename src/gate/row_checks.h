// SPDX-License-Identifier: MIT
//
// The checks of one array's values at the levels safe and full: does each value point
// into the buffer, child or dictionary that it belongs to? There is one function for each
// kind of value. rows.h applies them to a tree of arrays; text_checks.h checks text.
//
// The ranges count from the start of the buffers. Each function returns the first wrong
// row, counted from the begin of its range, or -1. The array has passed level shape.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_ROW_CHECKS_H_
#define ALLOY_SRC_GATE_ROW_CHECKS_H_

#include <cstdint>
#include <span>

#include "alloy/arrow_abi.h"
#include "arrow/format.h"
#include "arrow/load_value.h"
#include "gate/nulls.h"

namespace alloy::core {

// Offsets must not be negative, and must not decrease. A row is wrong if its own offset
// or the one after it is.
int64_t FirstDecreasingOffset(const void* offsets, uint8_t bytes, RowRange rows);

// Run ends must increase, and the first must be above 0.
int64_t FirstNotIncreasingRunEnd(const void* ends, uint8_t bytes, int64_t count);

// Indices of a dictionary must be from 0 to n_values - 1. Null rows may have any index;
// *below_nulls becomes true if one of them has a wrong one.
int64_t FirstInvalidIndex(const void* indices, Type type, RowRange rows, int64_t n_values,
                          Nulls nulls, bool* below_nulls);

// Views hold their text themselves, or point into one of the array's variadic buffers.
// Null rows may have any view; *below_nulls becomes true if one of them has a wrong one.
int64_t FirstInvalidView(const ArrowArray& array, RowRange rows, bool* below_nulls);

// The same for one view of 16 bytes.
bool IsValidView(const ArrowArray& array, const void* view);

// Each list view must be a range of the child's n_values rows. Null rows are checked too:
// "Every list-view value, including null values, has to guarantee" it ("Arrow columnar
// format", ListView Layout).
int64_t FirstInvalidListView(const void* offsets, const void* sizes, uint8_t bytes,
                             RowRange rows, int64_t n_values);

// Type ids of a union must have a child. `children` is by type id, with -1 for those
// that have none.
int64_t FirstInvalidTypeId(const void* ids, RowRange rows,
                           std::span<const int8_t, 128> children);

// Offsets of a dense union must be rows of the child that the type id selects. The type
// ids have been checked. `lengths` is by type id.
int64_t FirstInvalidUnionOffset(const void* ids, const void* offsets, RowRange rows,
                                std::span<const int64_t, 128> lengths);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_ROW_CHECKS_H_
