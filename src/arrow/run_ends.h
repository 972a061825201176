// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ARROW_RUN_ENDS_H_
#define ALLOY_SRC_ARROW_RUN_ENDS_H_

#include <cstdint>

#include "arrow/load_value.h"

namespace alloy::core {

// The first run that ends after the row: the one that contains it. If run ends decrease,
// it is any run; but if the last one is above the row, always one that ends after it.
inline int64_t RunOf(const void* ends, uint8_t bytes, int64_t n_ends, int64_t row) {
  int64_t low = 0, high = n_ends;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (LoadSigned(ends, middle, bytes) > row) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// Whether each run has rows: the first run end is above 0, and each other above the one
// before it.
inline bool RunEndsIncrease(const void* ends, uint8_t bytes, int64_t n_ends) {
  int64_t before = 0;
  for (int64_t i = 0; i < n_ends; ++i) {
    const int64_t end = LoadSigned(ends, i, bytes);
    if (end <= before) return false;
    before = end;
  }
  return true;
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_RUN_ENDS_H_
