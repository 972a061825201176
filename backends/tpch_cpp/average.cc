// SPDX-License-Identifier: MIT
#include "average.h"

#include <cmath>

namespace tpch {
namespace {

__extension__ using Unsigned128 = unsigned __int128;

constexpr unsigned kScale = 100;  // hundredths

// The double nearest to a number of hundredths. A quotient of doubles would miss it above
// 2^53, one of long doubles where it is rounded twice.
double NearestDouble(alloy::Decimal128 hundredths) {
  const Unsigned128 magnitude =
      hundredths < 0 ? -static_cast<Unsigned128>(hundredths) : hundredths;
  Unsigned128 quotient = magnitude / kScale;
  Unsigned128 rest = magnitude % kScale;
  int exponent = 0;
  // Bits until more are there than a double has, and two behind them.
  while (quotient >> 55 == 0 && rest != 0) {
    rest *= 2;
    quotient = 2 * quotient + rest / kScale;
    rest %= kScale;
    --exponent;
  }
  // What is left only decides a tie: the last bit, far behind the last of a double, says
  // that there is something.
  if (rest != 0) quotient |= 1;
  const double value = std::ldexp(static_cast<double>(quotient), exponent);
  return hundredths < 0 ? -value : value;
}

}  // namespace

std::optional<double> AverageOfSum(alloy::Decimal128 sum, uint64_t count) {
  if (count == 0) return std::nullopt;
  return NearestDouble(sum) / static_cast<double>(count);
}

std::optional<double> Average(alloy::Decimal128 sum, uint64_t count) {
  if (count == 0) return std::nullopt;
  const auto divisor = static_cast<long double>(count) * kScale;
  return static_cast<double>(static_cast<long double>(sum) / divisor);
}

}  // namespace tpch
