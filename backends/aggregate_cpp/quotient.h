// SPDX-License-Identifier: MIT
//
// Means of whole numbers and decimals, as doubles.
#ifndef AGGREGATE_CPP_QUOTIENT_H_
#define AGGREGATE_CPP_QUOTIENT_H_

#include <cstdint>

#include "alloy/backend.hpp"

namespace aggregate {

// What a decimal of 128 bits is without its sign.
__extension__ using Unsigned128 = unsigned __int128;

Unsigned128 Magnitude(alloy::Decimal128 value);

// 10 to the power of `exponent`, which is at most 38.
Unsigned128 PowerOfTen(int32_t exponent);

// sum / 10^scale / count, the double nearest to it where it fits 128 bits.
double MeanOf(alloy::Decimal128 sum, uint64_t count, int32_t scale);

}  // namespace aggregate

#endif  // AGGREGATE_CPP_QUOTIENT_H_
