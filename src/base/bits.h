// SPDX-License-Identifier: MIT
//
// Reads one bit of an Arrow bitmap: the first bit is the lowest bit of the first byte.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_BITS_H_
#define ALLOY_SRC_BASE_BITS_H_

#include <cstdint>

namespace alloy::core {

// Bit `index` of a bitmap, which has more than `index` bits.
inline bool BitAt(const void* bitmap, int64_t index) {
  const auto* bytes = static_cast<const unsigned char*>(bitmap);
  return (bytes[index / 8] >> (index % 8) & 1) != 0;
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_BITS_H_
