// SPDX-License-Identifier: MIT
//
// Arrays that alloy.hpp does not make from C++ values: decimals, and slices.
#ifndef ALLOY_TESTS_SUPPORT_DECIMALS_H_
#define ALLOY_TESTS_SUPPORT_DECIMALS_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"

namespace support {

using OptionalDecimals = std::vector<std::optional<alloy::Decimal128>>;

inline alloy::Array MakeDecimals(const std::string& format,
                                 const OptionalDecimals& values) {
  alloy::Output<alloy::Decimal128> column(&alloy::detail::AlignedResize);
  for (const auto& value : values) column.Append(value);
  auto held = std::make_shared<alloy::detail::Imported>();
  held->own_schema = alloy::Schema::Of({.name = "", .format = format});
  alloy::GiveBatch(held->array.get(), std::move(column));
  const auto* raw = held.get();
  return {raw->own_schema.get(), raw->array->children[0], std::move(held)};
}

// `rows` rows of an array from `first` on, as an array with an offset.
inline alloy::Array Slice(const alloy::Array& array, int64_t first, int64_t rows) {
  struct Held {
    alloy::Array whole;
    ArrowArray part;
  };
  auto held = std::make_shared<Held>(Held{array.Share(), array.array()});
  held->part.offset += first;
  held->part.length = rows;
  if (held->part.null_count > 0) held->part.null_count = -1;
  const auto* raw = held.get();
  return {&array.schema(), &raw->part, std::move(held)};
}

}  // namespace support

#endif  // ALLOY_TESTS_SUPPORT_DECIMALS_H_
