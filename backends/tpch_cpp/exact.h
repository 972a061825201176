// SPDX-License-Identifier: MIT
//
// Arithmetic of decimals of 38 digits: an overflow is an error, never a wrong digit.
#ifndef ALLOY_BACKENDS_TPCH_CPP_EXACT_H_
#define ALLOY_BACKENDS_TPCH_CPP_EXACT_H_

#include <optional>
#include <string>

#include "alloy/backend.hpp"

namespace tpch {

// A decimal, or null.
using Number = std::optional<alloy::Decimal128>;

[[noreturn]] inline void Overflow(const char* what) {
  throw alloy::Failure(std::string(what) + " overflows a decimal of 38 digits");
}

inline alloy::Decimal128 Add(alloy::Decimal128 a, alloy::Decimal128 b, const char* what) {
  alloy::Decimal128 sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) Overflow(what);
  return sum;
}

// Null when one of them is.
inline Number Multiply(Number a, Number b, const char* what) {
  if (!a || !b) return std::nullopt;
  alloy::Decimal128 product = 0;
  if (__builtin_mul_overflow(*a, *b, &product)) Overflow(what);
  return product;
}

// What the schema promises of a sum: 38 digits.
inline alloy::Decimal128 Checked(alloy::Decimal128 sum, const char* what) {
  constexpr alloy::Decimal128 kDigits19 = 10'000'000'000'000'000'000U;
  constexpr alloy::Decimal128 kLimit = kDigits19 * kDigits19;
  if (sum >= kLimit || sum <= -kLimit) Overflow(what);
  return sum;
}

}  // namespace tpch

#endif  // ALLOY_BACKENDS_TPCH_CPP_EXACT_H_
