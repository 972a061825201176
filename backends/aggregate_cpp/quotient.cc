// SPDX-License-Identifier: MIT
#include "quotient.h"

#include <cmath>
#include <cstdlib>

namespace aggregate {
namespace {

constexpr int32_t kMostDigits = 38;

// Rounded once, to the nearest. An integer of 2 more bits than a double holds decides the
// rounding when its last bit says whether anything was left.
double Divide(Unsigned128 numerator, Unsigned128 denominator) {
  Unsigned128 quotient = numerator / denominator;
  Unsigned128 rest = numerator % denominator;
  int exponent = 0;
  while (quotient < Unsigned128{1} << 55 && rest != 0) {
    // rest < denominator, so that this overflows only beyond 2^127.
    if (rest >> 127 != 0) {
      return static_cast<double>(numerator) / static_cast<double>(denominator);
    }
    rest *= 2;
    const bool carry = rest >= denominator;
    quotient = quotient * 2 + (carry ? 1 : 0);
    if (carry) rest -= denominator;
    --exponent;
  }
  const Unsigned128 sticky = quotient | (rest != 0 ? 1 : 0);
  // The conversion rounds to nearest even; the power of two is exact.
  return std::ldexp(static_cast<double>(sticky), exponent);
}

}  // namespace

double MeanOf(alloy::Decimal128 sum, uint64_t count, int32_t scale) {
  Unsigned128 numerator = Magnitude(sum);
  Unsigned128 denominator = count;
  bool fits = std::abs(scale) <= kMostDigits && count > 0;
  if (fits) {
    Unsigned128& scaled = scale >= 0 ? denominator : numerator;
    fits = !__builtin_mul_overflow(scaled, PowerOfTen(std::abs(scale)), &scaled);
  }
  if (!fits) {
    return static_cast<double>(sum) / static_cast<double>(count) / std::pow(10.0, scale);
  }
  const double mean = Divide(numerator, denominator);
  return sum < 0 ? -mean : mean;
}

}  // namespace aggregate
