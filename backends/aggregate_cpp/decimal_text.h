// SPDX-License-Identifier: MIT
//
// Decimals in options.
//
// Threads  values.
#ifndef AGGREGATE_CPP_DECIMAL_TEXT_H_
#define AGGREGATE_CPP_DECIMAL_TEXT_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "alloy/backend.hpp"

namespace aggregate {

// A number with a point somewhere.
struct Decimal {
  alloy::Decimal128 digits = 0;
  int32_t scale = 0;

  // Read `[+-]digits[.digits]`; nothing when it is not that, or has no place.
  static std::optional<Decimal> Parse(std::string_view text);

  // Its digits at another scale; nothing when there is no place for all of them.
  std::optional<alloy::Decimal128> Rescaled(int32_t to) const;
};

}  // namespace aggregate

#endif  // AGGREGATE_CPP_DECIMAL_TEXT_H_
