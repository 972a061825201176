// SPDX-License-Identifier: MIT
//
// Whether two arrays hold the same values, whatever the bytes that hold them: offsets,
// the order of a dictionary, unused rows and the memory under nulls do not count. Floats
// are compared by their bits.
//
// Threads  pure functions.
#ifndef ALLOY_TESTING_EQUAL_HPP_
#define ALLOY_TESTING_EQUAL_HPP_

#include <cstdint>

#include "alloy/arrow_abi.h"

namespace alloy::testing {

// Rows a of `left` and b of `right`, both well-formed arrays of the type `schema`.
bool EqualRows(const ArrowSchema& schema, const ArrowArray& left, int64_t a,
               const ArrowArray& right, int64_t b);

// The first row, counted from `first` in both, at which they differ among `rows`; -1:
// none.
int64_t FirstDifference(const ArrowSchema& schema, const ArrowArray& left,
                        int64_t first_left, const ArrowArray& right, int64_t first_right,
                        int64_t rows);

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_EQUAL_HPP_
