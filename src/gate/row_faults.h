// SPDX-License-Identifier: MIT
//
// The error texts of faults that the row checks find. Each function reads the wrong value
// again: the checks only return its row.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_ROW_FAULTS_H_
#define ALLOY_SRC_GATE_ROW_FAULTS_H_

#include <cstdint>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"

namespace alloy::core {

// The wrong row, counted as a reader of the array counts, that is without its offset.
struct WrongRow {
  const Layout& layout;
  const Layout::Node* node;
  const ArrowArray& array;
  int64_t row;

  // The place of the row in the buffers.
  int64_t at() const { return array.offset + row; }
};

Status DecreasingOffset(const WrongRow& wrong);
// The row ends behind the `limit` rows of the child, or bytes of the array.
Status OffsetAboveLimit(const WrongRow& wrong, int64_t limit, const char* noun);
Status InvalidView(const WrongRow& wrong);
Status InvalidViewPrefix(const WrongRow& wrong);
Status InvalidText(const WrongRow& wrong);
Status InvalidListView(const WrongRow& wrong);
Status InvalidTypeId(const WrongRow& wrong);
Status InvalidUnionOffset(const WrongRow& wrong, int64_t n_values);
Status InvalidRunEnd(const WrongRow& wrong);
Status InvalidIndex(const WrongRow& wrong);

// The null count of the array is not the number of nulls in its bitmap.
Status WrongNullCount(const Layout& layout, const Layout::Node* node,
                      const ArrowArray& array, int64_t nulls);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_ROW_FAULTS_H_
