// SPDX-License-Identifier: MIT
//
// What makes the fast way right: how many rows, and how great the numbers, so that sums
// of products fit 64 bits.
#ifndef ALLOY_BACKENDS_TPCH_CPP_CHUNK_H_
#define ALLOY_BACKENDS_TPCH_CPP_CHUNK_H_

#include <algorithm>
#include <cstdint>

#include "alloy/backend.hpp"

namespace tpch {

// How many rows are summed in 64 bits.
inline constexpr int64_t kChunkRows = 1 << 10;

// Whether the low half is within the bits, and the high half nothing but its sign: then
// zero.
inline int64_t Beyond(alloy::Decimal128 value, int bits) {
  return (static_cast<int64_t>(value) >> bits) ^ static_cast<int64_t>(value >> 64);
}

// Prices and quantities are below 2^34 hundredths, rates below 2^7. So is
// price * (1 - discount) * (1 + tax) below 2^(34 + 8 + 8), and 2^10 of them below 2^60.
// Zero for what is small enough.
inline int64_t BeyondMoney(alloy::Decimal128 value) { return Beyond(value, 34); }
inline int64_t BeyondRate(alloy::Decimal128 value) { return Beyond(value, 7); }

// The low half, for arithmetic that may wrap: what wraps is beyond.
inline uint64_t Low(alloy::Decimal128 value) { return static_cast<uint64_t>(value); }

// Call each(first, end) for one chunk of rows after another.
template <typename Each>
void ForEachChunk(int64_t rows, Each each) {
  for (int64_t first = 0; first < rows; first += kChunkRows) {
    each(first, std::min(rows, first + kChunkRows));
  }
}

}  // namespace tpch

#endif  // ALLOY_BACKENDS_TPCH_CPP_CHUNK_H_
