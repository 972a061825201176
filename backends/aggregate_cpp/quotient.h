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

inline Unsigned128 Magnitude(alloy::Decimal128 value) {
  const auto bits = static_cast<Unsigned128>(value);
  return value < 0 ? Unsigned128{0} - bits : bits;
}

// 10 to the power of `exponent`, which is at most 38.
constexpr Unsigned128 PowerOfTen(int32_t exponent) {
  Unsigned128 power = 1;
  for (int32_t i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// sum / 10^scale / count, the double nearest to it where it fits 128 bits.
double MeanOf(alloy::Decimal128 sum, uint64_t count, int32_t scale);

}  // namespace aggregate

#endif  // AGGREGATE_CPP_QUOTIENT_H_
