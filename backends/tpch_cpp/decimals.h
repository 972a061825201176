// SPDX-License-Identifier: MIT
//
// Arithmetic on decimals. Two ways lead to the same sums. The fast way sums a chunk of
// rows in 64 bits, which is exact while the numbers are small. The other way takes any
// number, row by row in 128 bits, and an overflow is an error.
#ifndef ALLOY_BACKENDS_TPCH_CPP_DECIMALS_H_
#define ALLOY_BACKENDS_TPCH_CPP_DECIMALS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "alloy/backend.hpp"

namespace tpch {

using alloy::Decimal128;
using Number = std::optional<Decimal128>;  // nothing: null

// Prices and quantities below 2^34 hundredths and rates below 2^7 are small. Then
// price * (1 - discount) * (1 + tax) is below 2^(34 + 8 + 8), and the sum of 2^10 of them
// below 2^60. Zero: the value is small.
constexpr int64_t kChunkRows = 1 << 10;

inline int64_t Beyond(Decimal128 value, int bits) {
  return (static_cast<int64_t>(value) >> bits) ^ static_cast<int64_t>(value >> 64);
}
inline int64_t BeyondMoney(Decimal128 value) { return Beyond(value, 34); }
inline int64_t BeyondRate(Decimal128 value) { return Beyond(value, 7); }

// The low half. Unsigned arithmetic may wrap, and then a value is beyond.
inline uint64_t Low(Decimal128 value) { return static_cast<uint64_t>(value); }

// Call fast(first, end) for each chunk of rows, and slow(first, end) where that is false.
template <typename Fast, typename Slow>
void ForEachChunk(int64_t rows, bool has_nulls, Fast fast, Slow slow) {
  for (int64_t first = 0; first < rows; first += kChunkRows) {
    const int64_t end = std::min(rows, first + kChunkRows);
    if (has_nulls || !fast(first, end)) slow(first, end);
  }
}

[[noreturn]] inline void Overflow(const std::string& what) {
  throw alloy::Failure(what + " overflows a decimal of 38 digits");
}

inline Decimal128 Add(Decimal128 a, Decimal128 b, const char* what) {
  Decimal128 sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) Overflow(what);
  return sum;
}

inline Number Multiply(Number a, Number b, const char* what) {
  if (!a || !b) return std::nullopt;
  Decimal128 product = 0;
  if (__builtin_mul_overflow(*a, *b, &product)) Overflow(what);
  return product;
}

// The schema of a result promises 38 digits.
inline Decimal128 Checked(Decimal128 sum, const char* what) {
  constexpr Decimal128 kDigits19 = 10'000'000'000'000'000'000U;
  constexpr Decimal128 kLimit = kDigits19 * kDigits19;
  if (sum >= kLimit || sum <= -kLimit) Overflow(what);
  return sum;
}

// The double nearest to a number of hundredths. A quotient of doubles would miss it above
// 2^53, and a quotient of long doubles would be rounded twice.
inline double NearestDouble(Decimal128 hundredths) {
  __extension__ using Unsigned = unsigned __int128;
  const Unsigned magnitude =
      hundredths < 0 ? -static_cast<Unsigned>(hundredths) : hundredths;
  Unsigned quotient = magnitude / 100;
  Unsigned rest = magnitude % 100;
  int exponent = 0;
  // Two bits more than a double has. The last one is set if there is a rest, which decides
  // a tie.
  for (; quotient >> 55 == 0 && rest != 0; --exponent) {
    rest *= 2;
    quotient = 2 * quotient + rest / 100;
    rest %= 100;
  }
  if (rest != 0) quotient |= 1;
  const double value = std::ldexp(static_cast<double>(quotient), exponent);
  return hundredths < 0 ? -value : value;
}

// If a query also asks for the sum, DuckDB divides that sum, as the nearest double, by the
// count. Otherwise it divides in `long double` and rounds the quotient to a double.
inline std::optional<double> AverageOfSum(Decimal128 sum, uint64_t count) {
  if (count == 0) return std::nullopt;
  return NearestDouble(sum) / static_cast<double>(count);
}
inline std::optional<double> Average(Decimal128 sum, uint64_t count) {
  if (count == 0) return std::nullopt;
  const auto divisor = static_cast<long double>(count) * 100;
  return static_cast<double>(static_cast<long double>(sum) / divisor);
}

}  // namespace tpch

#endif  // ALLOY_BACKENDS_TPCH_CPP_DECIMALS_H_
