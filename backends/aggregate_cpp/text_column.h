// SPDX-License-Identifier: MIT
//
// Columns of strings that come out as they came in: utf8, large utf8 or views.
#ifndef AGGREGATE_CPP_TEXT_COLUMN_H_
#define AGGREGATE_CPP_TEXT_COLUMN_H_

#include <cstddef>
#include <string>

#include "alloy/backend.hpp"
#include "types.h"

namespace aggregate {

// A column of `rows` strings of the type: `text(row)` is one, or nothing for null.
template <typename Text>
alloy::AnyOutput TextColumn(const Type& type, size_t rows, alloy::detail::Resize resize,
                            Text text) {
  const auto filled = [&]<typename Output>(Output column) -> alloy::AnyOutput {
    column.Reserve(static_cast<int64_t>(rows));
    for (size_t row = 0; row < rows; ++row) column.Append(text(row));
    return column;
  };
  if (type.format == "U") return filled(alloy::Output<alloy::LargeText>(resize));
  if (type.format == "vu") return filled(alloy::Output<alloy::TextView>(resize));
  return filled(alloy::Output<std::string>(resize));
}

}  // namespace aggregate

#endif  // AGGREGATE_CPP_TEXT_COLUMN_H_
