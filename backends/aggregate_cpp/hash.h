// SPDX-License-Identifier: MIT
//
// Hashes of keys: words and texts, with a seed that no data can know.
#ifndef AGGREGATE_CPP_HASH_H_
#define AGGREGATE_CPP_HASH_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace aggregate {

inline constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio

// Each bit of the answer depends on all bits of both.
inline uint64_t Mix(uint64_t a, uint64_t b) {
  __extension__ using Product = unsigned __int128;
  const Product product = static_cast<Product>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// One for each stream, so that nobody can make data whose keys all collide.
inline uint64_t RandomSeed() {
  std::random_device device;
  return (uint64_t{device()} << 32 | device()) ^ kOdd;
}

inline uint32_t HashOf(const uint64_t* words, size_t n, uint64_t seed) {
  uint64_t hash = seed;
  for (size_t i = 0; i < n; ++i) hash = Mix(hash ^ words[i], kOdd);
  return static_cast<uint32_t>(hash ^ hash >> 32);
}

inline uint32_t HashOf(std::string_view text, uint64_t seed) {
  uint64_t hash = seed ^ text.size();
  while (text.size() > sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data(), sizeof(word));
    hash = Mix(hash ^ word, kOdd);
    text.remove_prefix(sizeof(word));
  }
  uint64_t rest = 0;
  if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
  hash = Mix(hash ^ rest, kOdd);
  return static_cast<uint32_t>(hash ^ hash >> 32);
}

}  // namespace aggregate

#endif  // AGGREGATE_CPP_HASH_H_
