// SPDX-License-Identifier: MIT
#include "wire/record_copies.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <type_traits>

#include "arrow/view.h"
#include "base/bits.h"
#include "base/block_scan.h"

namespace alloy::core {
namespace {

// A block stays in the first cache between its copy and its check.
constexpr int64_t kBlock = 1024;

template <typename T>
int64_t CopyOffsetsOf(std::byte* to, const std::byte* from, int64_t rows, int64_t base,
                      int64_t limit) {
  constexpr int64_t kWide = sizeof(T);
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t n = std::min(kBlock, rows - begin);
    // Each block but the first has the first offset of its rows already.
    const int64_t had = begin == 0 ? 0 : 1;
    std::memcpy(to + (begin + had) * kWide, from + (begin + had) * kWide,
                static_cast<size_t>((n + 1 - had) * kWide));
    EndOfSharedRead();
    const std::byte* at = to + begin * kWide;
    const int64_t row = FirstWrong(n, [at](int64_t i) {
      const T here = LoadValue<T>(at, i);
      return static_cast<T>(here | Minus(LoadValue<T>(at, i + 1), here));
    });
    if (row >= 0) return begin + row;
  }
  if (base >= 0 && LoadValue<T>(to, 0) != base) return 0;
  if (LoadValue<T>(to, rows) < 0 || LoadValue<T>(to, rows) > limit) return rows - 1;
  if (base > 0) {
    for (int64_t i = 0; i <= rows; ++i) {
      const T offset = Minus(LoadValue<T>(to, i), static_cast<T>(base));
      std::memcpy(to + i * kWide, &offset, sizeof(T));
    }
  }
  return -1;
}

}  // namespace

void EndOfSharedRead() { std::atomic_signal_fence(std::memory_order_seq_cst); }

int64_t CopyCheckedOffsets(std::byte* to, const std::byte* from, uint8_t bytes,
                           int64_t rows, int64_t base, int64_t limit) {
  return bytes == 4 ? CopyOffsetsOf<int32_t>(to, from, rows, base, limit)
                    : CopyOffsetsOf<int64_t>(to, from, rows, base, limit);
}

int64_t CopyCheckedViews(std::byte* to, const std::byte* from, int64_t rows,
                         const ArrowArray& array, int64_t first) {
  const void* bitmap = array.buffers[0];
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t n = std::min(kBlock, rows - begin);
    std::byte* at = to + begin * kViewBytes;
    std::memcpy(at, from + begin * kViewBytes, static_cast<size_t>(n * kViewBytes));
    EndOfSharedRead();
    const int64_t row = FirstWrong(
        n,
        [at](int64_t i) {
          const auto length = LoadValue<int32_t>(at, 4 * i);
          return length | Minus(kMostInline, length);
        },
        [&](int64_t i) {
          const auto view = LoadValue<View>(at, i);
          if (view.IsLong() ? view.IsIn(array) : view.length >= 0) return true;
          if (bitmap == nullptr || BitAt(bitmap, first + begin + i)) return false;
          std::memset(at + i * kViewBytes, 0, kViewBytes);
          return true;
        });
    if (row >= 0) return begin + row;
  }
  return -1;
}

}  // namespace alloy::core
