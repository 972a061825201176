// SPDX-License-Identifier: MIT
//
// The bits of an Arrow bitmap: bit i is bit i % 8 of byte i / 8, from the lowest.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_BITS_HPP_
#define ALLOY_DETAIL_BITS_HPP_

#include <bit>
#include <cstdint>
#include <cstring>

namespace alloy::detail {

// Bit `i` of a bitmap that has more than `i` bits.
inline bool BitAt(const void* bits, int64_t i) {
  return (static_cast<const uint8_t*>(bits)[i >> 3] >> (i & 7) & 1) != 0;
}

// At most 64 bits of a bitmap from bit `first` on, the lowest first. It reads no byte that
// has none of the `count` bits.
inline uint64_t BitsAt(const void* bits, int64_t first, int64_t count) {
  static_assert(std::endian::native == std::endian::little);
  const auto* bytes = static_cast<const uint8_t*>(bits) + (first >> 3);
  const int64_t shift = first & 7;
  const int64_t size = (shift + count + 7) / 8;
  uint64_t word = 0;
  if (size >= 8) [[likely]] {
    std::memcpy(&word, bytes, sizeof(word));
  } else {
    std::memcpy(&word, bytes, static_cast<size_t>(size));
  }
  word >>= shift;
  if (size > 8) word |= uint64_t{bytes[8]} << (64 - shift);
  return count < 64 ? word & ((uint64_t{1} << count) - 1) : word;
}

// Count the set bits among `count` bits from `first` on.
inline int64_t CountBits(const void* bits, int64_t first, int64_t count) {
  int64_t set = 0;
  int64_t i = first;
  const int64_t end = first + count;
  for (; i < end && i % 8 != 0; ++i) set += BitAt(bits, i) ? 1 : 0;
  for (; i + 64 <= end; i += 64) {
    uint64_t word = 0;
    std::memcpy(&word, static_cast<const uint8_t*>(bits) + i / 8, sizeof(word));
    set += std::popcount(word);
  }
  for (; i < end; ++i) set += BitAt(bits, i) ? 1 : 0;
  return set;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_BITS_HPP_
