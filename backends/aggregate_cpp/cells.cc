// SPDX-License-Identifier: MIT
#include "cells.h"

#include <string>
#include <utility>

namespace aggregate {
namespace {

template <typename Index>
std::vector<int64_t> Follow(const alloy::AnyColumn& column) {
  const alloy::Column<Index> indices(column.schema, column.array);
  const Nulls nulls({*column.schema.dictionary, *column.array.dictionary});
  const int64_t size = column.array.dictionary->length;
  std::vector<int64_t> places;
  places.reserve(static_cast<size_t>(indices.size()));
  for (int64_t row = 0; row < indices.size(); ++row) {
    if (indices.IsNull(row)) {
      places.push_back(Cells::kNull);
      continue;
    }
    const Index place = indices[row];
    if (std::cmp_less(place, 0) || std::cmp_greater_equal(place, size)) {
      throw alloy::Failure(ALLOY_BAD_DATA, "column '" + std::string(column.schema.name) +
                                               "', row " + std::to_string(row) +
                                               ": a dictionary index out of range");
    }
    const auto at = static_cast<int64_t>(+place);
    places.push_back(nulls.IsNull(at) ? Cells::kNull : at);
  }
  return places;
}

std::vector<int64_t> PlacesOf(const alloy::AnyColumn& column) {
  switch (column.schema.format[0]) {
    case 'c':
      return Follow<int8_t>(column);
    case 'C':
      return Follow<uint8_t>(column);
    case 's':
      return Follow<int16_t>(column);
    case 'S':
      return Follow<uint16_t>(column);
    case 'i':
      return Follow<int32_t>(column);
    case 'I':
      return Follow<uint32_t>(column);
    case 'l':
      return Follow<int64_t>(column);
    default:
      return Follow<uint64_t>(column);
  }
}

}  // namespace

Cells::Cells(alloy::AnyColumn column) : column_(column) {
  if (is_dictionary()) places_ = PlacesOf(column);
}

}  // namespace aggregate
