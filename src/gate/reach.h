// SPDX-License-Identifier: MIT
//
// Which rows of its children an array points to. Level safe checks only these, so that
// the check of a slice costs in proportion to the slice.
//
// A reader may reach any row between the first and the last one, so each reach is one
// range. Its rows count from the begin of the child, without the child's offset. The
// values have passed row_checks.h.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_REACH_H_
#define ALLOY_SRC_GATE_REACH_H_

#include <array>
#include <cstdint>
#include <span>

#include "gate/nulls.h"

namespace alloy::core {

// The rows of the child from the lowest begin to the highest end of the list views.
RowRange ReachOfListViews(const void* offsets, const void* sizes, uint8_t bytes,
                          RowRange rows);

// The same for the offsets of a dense union, by child. `children` is by type id.
std::array<RowRange, 128> ReachOfDenseUnion(const void* ids, const void* offsets,
                                            RowRange rows,
                                            std::span<const int8_t, 128> children);

// The runs that contain the rows. There is at least one row, and the last of the `n_ends`
// run ends is beyond all rows.
RowRange ReachOfRunEnds(const void* ends, uint8_t bytes, int64_t n_ends, RowRange rows);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_REACH_H_
