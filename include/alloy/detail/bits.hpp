// SPDX-License-Identifier: MIT
//
// The bits of a bitmap, in Arrow's order: bit i is bit i % 8 of byte i / 8.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_BITS_HPP_
#define ALLOY_DETAIL_BITS_HPP_

#include <bit>
#include <cstdint>
#include <cstring>

namespace alloy::detail {

inline bool GetBit(const void* bits, int64_t i) {
  return (static_cast<const uint8_t*>(bits)[i >> 3] >> (i & 7) & 1) != 0;
}

// How many of `count` bits from `first` on are set.
inline int64_t CountBits(const void* bits, int64_t first, int64_t count) {
  int64_t set = 0;
  int64_t i = first;
  const int64_t end = first + count;
  for (; i < end && i % 8 != 0; ++i) set += GetBit(bits, i) ? 1 : 0;
  for (; i + 64 <= end; i += 64) {
    uint64_t word = 0;
    std::memcpy(&word, static_cast<const uint8_t*>(bits) + i / 8, sizeof(word));
    set += std::popcount(word);
  }
  for (; i < end; ++i) set += GetBit(bits, i) ? 1 : 0;
  return set;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_BITS_HPP_
