// SPDX-License-Identifier: MIT
#include "gate/nulls.h"

#include <algorithm>
#include <bit>

#include "arrow/load_value.h"

namespace alloy::core {

// Both functions read single bits up to the first whole byte and after the last one.
// Between, AnyNull compares bytes, and CountNulls counts the bits of 8 bytes at once.

bool AnyNull(const void* bitmap, RowRange rows) {
  if (bitmap == nullptr) return false;
  const auto* bytes = static_cast<const unsigned char*>(bitmap);
  const int64_t end = rows.begin + rows.count;
  int64_t i = rows.begin;
  for (; i < end && i % 8 != 0; ++i) {
    if (!BitAt(bitmap, i)) return true;
  }
  const auto all_valid = [](unsigned char byte) { return byte == 0xFF; };
  if (!std::all_of(bytes + i / 8, bytes + std::max(i, end) / 8, all_valid)) return true;
  for (i = std::max(i, end / 8 * 8); i < end; ++i) {
    if (!BitAt(bitmap, i)) return true;
  }
  return false;
}

int64_t CountNulls(const void* bitmap, RowRange rows) {
  const auto* bytes = static_cast<const unsigned char*>(bitmap);
  const int64_t end = rows.begin + rows.count;
  int64_t valid = 0, i = rows.begin;
  for (; i < end && i % 8 != 0; ++i) valid += BitAt(bitmap, i) ? 1 : 0;
  for (; end - i >= 64; i += 64) {
    valid += std::popcount(LoadValue<uint64_t>(bytes + i / 8, 0));
  }
  for (; i < end; ++i) valid += BitAt(bitmap, i) ? 1 : 0;
  return rows.count - valid;
}

}  // namespace alloy::core
