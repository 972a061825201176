// SPDX-License-Identifier: MIT
//
// Values in options, read as the type of a column.
#ifndef AGGREGATE_CPP_VALUE_TEXT_H_
#define AGGREGATE_CPP_VALUE_TEXT_H_

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include "alloy/backend.hpp"
#include "decimal_text.h"
#include "number_text.h"
#include "types.h"

namespace aggregate {

// The days from 1970-01-01 to a date such as 1998-09-02; nothing for what is none.
std::optional<int32_t> ParseDate(std::string_view text);

// The value of the text in a column of the type, which is stored as a T; nothing when it
// is none. No digit of a decimal is lost.
template <typename T>
std::optional<T> ReadValue(const Type& type, std::string_view text) {
  if constexpr (std::same_as<T, bool>) {
    text = Trimmed(text);
    if (text != "true" && text != "false") return std::nullopt;
    return text == "true";
  } else if constexpr (std::same_as<T, alloy::Decimal128>) {
    const auto decimal = Decimal::Parse(text);
    return decimal ? decimal->Rescaled(type.decimal.scale) : std::nullopt;
  } else if constexpr (std::same_as<T, int32_t> || std::same_as<T, int64_t>) {
    if (type.meaning != Meaning::kDate) return ParseNumber<T>(text);
    constexpr T kUnits = std::same_as<T, int32_t> ? 1 : 86'400'000;  // of a day
    const auto days = ParseDate(text);
    return days ? std::optional<T>(T{*days} * kUnits) : std::nullopt;
  } else {
    return ParseNumber<T>(text);
  }
}

}  // namespace aggregate

#endif  // AGGREGATE_CPP_VALUE_TEXT_H_
