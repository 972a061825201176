// SPDX-License-Identifier: MIT
//
// Where buffers lie in shared memory, and the words of a record that say so.
//
// A record is an array of words of 64 bits: for each node of the layout, in preorder,
//   flags             kHasHead, HasBuffer(0) and so on; above kVariadicShift the number of
//                     variadic buffers of views
//   head              length, null count, offset; without kHasHead they are the length of
//                     the batch, 0 and 0, as most columns have them
//   places            3 words for each buffer that the flags name, and for each variadic
//                     buffer: segment, offset, length
// The sizes of variadic buffers are their lengths, and have no place of their own. A node
// whose flags are kFollows has only buffer 1, which lies right behind the place that was named
// before it and is as long: the plain columns of most batches are one word each.
//
// Threads  values.
#ifndef ALLOY_SRC_WIRE_PLACES_H_
#define ALLOY_SRC_WIRE_PLACES_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "arrow/layout.h"
#include "base/backing.h"

namespace alloy::core {

// Where the bytes of a buffer lie. Segments count from 1; 0: the buffer has no bytes.
struct BufferPlace {
  uint32_t segment = 0;
  uint64_t offset = 0;
  uint64_t length = 0;  // in bytes
};

// A segment, or a part of one, as this process has mapped it. Several parts may have the
// same number.
struct SegmentView {
  uint32_t number = 0;
  std::span<const std::byte> bytes;
  uint64_t begin = 0;  // where the part begins in its segment
  // Memory that the other side gave out: it may have none behind it yet. NULL: it has.
  Backing* backing = nullptr;
};

// The bytes of a bitmap up to row `end`.
constexpr int64_t BitmapBytes(int64_t end) { return (end + 7) / 8; }

// The bytes of the values up to row `end`.
inline int64_t ValueBytes(const Layout::Node& node, int64_t end) {
  return node.bits < 8 ? BitmapBytes(end * node.bits) : end * (node.bits / 8);
}

namespace record {

inline constexpr uint64_t kHasHead = 1;
constexpr uint64_t HasBuffer(int index) { return uint64_t{2} << index; }
inline constexpr uint64_t kFollows = 1 << 8;
inline constexpr int kVariadicShift = 32;
inline constexpr size_t kHeadWords = 3;
inline constexpr size_t kPlaceWords = 3;
inline constexpr int kMostBuffers = 3;  // without variadic ones
// Of a node, without variadic buffers.
inline constexpr size_t kMostWords = 1 + kHeadWords + kMostBuffers * kPlaceWords;

}  // namespace record
}  // namespace alloy::core

#endif  // ALLOY_SRC_WIRE_PLACES_H_
