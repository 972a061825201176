// SPDX-License-Identifier: MIT
//
// Averages of decimals of two places, to the last digit what DuckDB says.
#ifndef ALLOY_BACKENDS_TPCH_CPP_AVERAGE_H_
#define ALLOY_BACKENDS_TPCH_CPP_AVERAGE_H_

#include <cstdint>
#include <optional>

#include "alloy/backend.hpp"

namespace tpch {

// The average of a column whose sum the query asks for as well: DuckDB divides that sum,
// as the double nearest to it, by the count. Of no values, none.
std::optional<double> AverageOfSum(alloy::Decimal128 sum, uint64_t count);

// The average alone: DuckDB divides in `long double` and rounds the quotient to a double.
std::optional<double> Average(alloy::Decimal128 sum, uint64_t count);

}  // namespace tpch

#endif  // ALLOY_BACKENDS_TPCH_CPP_AVERAGE_H_
