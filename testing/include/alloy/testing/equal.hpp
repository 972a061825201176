// SPDX-License-Identifier: MIT
//
// Compares the values of two arrays, not their bytes: offsets, the order of a
// dictionary, unused rows and the memory under nulls do not matter. Floats are equal if
// their bits are.
//
// Threads  shared.
#ifndef ALLOY_TESTING_EQUAL_HPP_
#define ALLOY_TESTING_EQUAL_HPP_

#include <cstdint>

#include "alloy/arrow_abi.h"

namespace alloy::testing {

// Compare row a of `left` with row b of `right`. Both are well-formed arrays of `schema`.
bool EqualRows(const ArrowSchema& schema, const ArrowArray& left, int64_t a,
               const ArrowArray& right, int64_t b);

// Compare `rows` rows, from `first` in both arrays. Returns the first row that differs,
// or -1.
int64_t FirstDifference(const ArrowSchema& schema, const ArrowArray& left,
                        int64_t first_left, const ArrowArray& right, int64_t first_right,
                        int64_t rows);

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_EQUAL_HPP_
