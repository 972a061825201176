// SPDX-License-Identifier: MIT
//
// Sums of decimals. Two ways lead to the same sums. The fast way sums a chunk of rows in 64
// bits, which is exact while the numbers are small. The other way takes any number, row by
// row in 128 bits, and an overflow is an error.
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
using Numbers = alloy::Column<Decimal128>;

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

[[noreturn]] inline void Overflow(const std::string& what) {
  throw alloy::Failure(what + " overflows a decimal of 38 digits");
}

inline Decimal128 Add(Decimal128 a, Decimal128 b, const char* what) {
  Decimal128 sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) Overflow(what);
  return sum;
}

inline Number Multiply(const Number& a, const Number& b, const char* what) {
  if (!a || !b) return std::nullopt;
  Decimal128 product = 0;
  if (__builtin_mul_overflow(*a, *b, &product)) Overflow(what);
  return product;
}

// A sum of values, and how many they are.
struct Sum {
  void Add(const Number& value, uint64_t values, const char* what) {
    if (!value) return;
    sum = tpch::Add(sum, *value, what);
    count += values;
  }
  // The schema of a result promises 38 digits. A sum of nothing is null.
  Number Get(const char* what) const {
    constexpr Decimal128 kDigits19 = 10'000'000'000'000'000'000U;
    constexpr Decimal128 kLimit = kDigits19 * kDigits19;
    if (sum >= kLimit || sum <= -kLimit) Overflow(what);
    return count == 0 ? std::nullopt : Number(sum);
  }
  // If a query also asks for the sum, DuckDB divides that sum, as the nearest double, by
  // the count. A quotient of doubles would miss it above 2^53, and a quotient of long
  // doubles would be rounded twice.
  std::optional<double> AverageOfSum() const {
    if (count == 0) return std::nullopt;
    __extension__ using Unsigned = unsigned __int128;
    const Unsigned magnitude = sum < 0 ? -static_cast<Unsigned>(sum) : sum;
    // The quotient has at least two bits more than a double. The last one is set if there
    // is a rest, which decides a tie.
    const int shift = magnitude >> 64 == 0 ? 62 : 0;
    const Unsigned dividend = magnitude << shift;
    const Unsigned quotient = dividend / 100 | (dividend % 100 == 0 ? 0 : 1);
    const double value = std::ldexp(static_cast<double>(quotient), -shift);
    return (sum < 0 ? -value : value) / static_cast<double>(count);
  }
  // Otherwise it divides in `long double` and rounds the quotient to a double.
  std::optional<double> Average() const {
    if (count == 0) return std::nullopt;
    const auto divisor = static_cast<long double>(count) * 100;
    return static_cast<double>(static_cast<long double>(sum) / divisor);
  }

  Decimal128 sum = 0;
  uint64_t count = 0;
};

// The columns that both queries read.
struct CommonRows {
  explicit CommonRows(const alloy::InputBatch& batch)
      : quantity(batch.Get<Numbers>("l_quantity")),
        price(batch.Get<Numbers>("l_extendedprice")),
        discount(batch.Get<Numbers>("l_discount")),
        day(batch.Get<alloy::Column<alloy::Date32>>("l_shipdate")),
        has_nulls(quantity.HasNulls() || price.HasNulls() || discount.HasNulls() ||
                  day.HasNulls()) {}
  Numbers quantity, price, discount;
  alloy::Column<alloy::Date32> day;
  bool has_nulls;
};

// Add the rows of a stream to a query. Its AddFast returns false, and adds nothing, for a
// chunk that needs the other way.
template <typename Query>
void AddAll(Query& query, alloy::Scope& scope, alloy::Input& input) {
  while (const auto batch = input.Next()) {
    scope.ThrowIfCancelled();
    const typename Query::Rows rows(*batch);
    for (int64_t first = 0; first < batch->rows(); first += kChunkRows) {
      const int64_t end = std::min(batch->rows(), first + kChunkRows);
      if (!rows.has_nulls && query.AddFast(rows, first, end)) continue;
      for (int64_t row = first; row < end; ++row) query.AddRow(rows, row);
    }
  }
}

}  // namespace tpch

#endif  // ALLOY_BACKENDS_TPCH_CPP_DECIMALS_H_
