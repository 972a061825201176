// SPDX-License-Identifier: MIT
#include "key_table.h"

#include <algorithm>
#include <array>

#include "hash.h"

namespace aggregate {

void KeyTable::Keep(const uint64_t* key) {
  keys_.insert(keys_.end(), key, key + words_);
  ++size_;
}

uint32_t KeyTable::NumberOfNull() {
  if (!null_) {
    const std::vector<uint64_t> zeros(words_);
    null_ = size_;
    Keep(zeros.data());
  }
  return static_cast<uint32_t>(*null_);
}

// `fixed` words, or as many as there are: 0.
template <size_t fixed>
void KeyTable::NumberOf(const uint64_t* keys, const uint8_t* has_value,
                        std::span<uint32_t> numbers) {
  // Hash a block before any of its slots is looked at: they come from memory meanwhile.
  constexpr size_t kBlock = 64;
  const size_t words = fixed == 0 ? words_ : fixed;
  std::array<uint32_t, kBlock> hashes{};
  for (size_t first = 0; first < numbers.size(); first += kBlock) {
    const size_t end = std::min(first + kBlock, numbers.size());
    for (size_t row = first; row < end; ++row) {
      hashes[row - first] = HashOf(keys + row * words, words, seed_);
      slots_.Prefetch(hashes[row - first]);
    }
    for (size_t row = first; row < end; ++row) {
      const uint64_t* key = keys + row * words;
      if (has_value != nullptr && has_value[row] == 0) {
        numbers[row] = NumberOfNull();
        continue;
      }
      numbers[row] = slots_.FindOrAdd(
          hashes[row - first], size_,
          [&](uint32_t number) {
            return std::equal(key, key + words, keys_.data() + number * words);
          },
          [&] { Keep(key); });
    }
  }
}

void KeyTable::Number(const uint64_t* keys, const uint8_t* has_value,
                      std::span<uint32_t> numbers) {
  if (words_ == 1) return NumberOf<1>(keys, has_value, numbers);
  if (words_ == 2) return NumberOf<2>(keys, has_value, numbers);
  NumberOf<0>(keys, has_value, numbers);
}

}  // namespace aggregate
