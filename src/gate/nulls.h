// SPDX-License-Identifier: MIT
//
// Reads the validity bitmap of an array that has passed level shape.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_NULLS_H_
#define ALLOY_SRC_GATE_NULLS_H_

#include <cstdint>

#include "alloy/arrow_abi.h"
#include "base/bits.h"

namespace alloy::core {

// Rows `begin` to `begin + count`, counted from the start of the buffers.
struct RowRange {
  int64_t begin = 0;
  int64_t count = 0;
};

// The null rows of an array. Level safe does not check the values of null rows.
struct Nulls {
  const void* bitmap = nullptr;  // NULL: no row is null

  explicit Nulls(const ArrowArray& array)
      : bitmap(array.null_count == 0 ? nullptr : array.buffers[0]) {}
  bool At(int64_t row) const { return bitmap != nullptr && !BitAt(bitmap, row); }
};

// True if any of the rows is null. The bitmap may be NULL: then none is.
bool AnyNull(const void* bitmap, RowRange rows);

// The number of null rows.
int64_t CountNulls(const void* bitmap, RowRange rows);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_NULLS_H_
