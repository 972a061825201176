// SPDX-License-Identifier: MIT
//
// The loop of every check of rows (gate/row_checks.h): block by block, without branches.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_BLOCK_SCAN_H_
#define ALLOY_SRC_BASE_BLOCK_SCAN_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace alloy::core {

// a - b, which wraps instead of overflowing. Its sign is right if a and b are not
// negative.
template <typename T>
constexpr T Minus(T a, T b) {
  using Bits = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<Bits>(static_cast<Bits>(a) - static_cast<Bits>(b)));
}

// The first of `rows` rows that is wrong and not excused; -1 if there is none.
//
// `sign(i)` is a signed number, negative if row i is wrong. The numbers of a block are
// combined without a branch, and a block has a fixed size. So compilers use vector
// instructions for it, at -O2 too. Only a block with a wrong row is searched row by row,
// and only there `excused(i)` is asked.
template <typename Sign, typename Excused>
inline int64_t FirstWrong(int64_t rows, Sign sign, Excused excused) {
  using Word = decltype(sign(int64_t{0}));
  static_assert(std::is_signed_v<Word>);
  constexpr int64_t kBlock = 1024;
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t end = std::min(rows, begin + kBlock);
    Word any = 0;
    if (end - begin == kBlock) [[likely]] {
      for (int64_t j = 0; j < kBlock; ++j) {
        any = static_cast<Word>(any | sign(begin + j));
      }
    } else {
      for (int64_t i = begin; i < end; ++i) any = static_cast<Word>(any | sign(i));
    }
    if (any >= 0) [[likely]]
      continue;
    for (int64_t i = begin; i < end; ++i) {
      if (sign(i) < 0 && !excused(i)) return i;
    }
  }
  return -1;
}

template <typename Sign>
inline int64_t FirstWrong(int64_t rows, Sign sign) {
  return FirstWrong(rows, sign, [](int64_t) { return false; });
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_BLOCK_SCAN_H_
