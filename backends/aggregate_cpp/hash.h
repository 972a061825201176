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

template <typename Word>
uint64_t LoadWord(const char* bytes) {
  Word word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// At most 8 bytes as a word; of texts of one length no two are the same. In loads of
// fixed sizes, which may overlap: to copy an unknown number of bytes is a call.
inline uint64_t ShortWord(std::string_view text) {
  const char* bytes = text.data();
  const size_t size = text.size();
  if (size >= 4) {
    return LoadWord<uint32_t>(bytes) | LoadWord<uint32_t>(bytes + size - 4) << 32;
  }
  if (size == 0) return 0;
  return LoadWord<uint8_t>(bytes) | LoadWord<uint8_t>(bytes + size / 2) << 8 |
         LoadWord<uint8_t>(bytes + size - 1) << 16;
}

inline uint32_t HashOf(std::string_view text, uint64_t seed) {
  uint64_t hash = seed ^ text.size();
  for (; text.size() > sizeof(uint64_t); text.remove_prefix(sizeof(uint64_t))) {
    const char* bytes = text.data();
    hash = Mix(hash ^ LoadWord<uint64_t>(bytes), kOdd);
  }
  hash = Mix(hash ^ ShortWord(text), kOdd);
  return static_cast<uint32_t>(hash ^ hash >> 32);
}

// Whether two texts are the same; short ones without a call.
inline bool IsSame(std::string_view one, std::string_view other) {
  if (one.size() != other.size()) return false;
  if (one.size() <= sizeof(uint64_t)) return ShortWord(one) == ShortWord(other);
  return std::memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace aggregate

#endif  // AGGREGATE_CPP_HASH_H_
