// SPDX-License-Identifier: MIT
//
// Seeded damage of a library: where the parts of an ELF image are, and numbers and bits that
// are changed there. For the tests of the check of libraries (admit/elf_mutation_test.cc),
// and of what a damaged library does in a worker (tests/isolated/mutants_test.cc).
#ifndef ALLOY_SRC_ADMIT_ELF_MUTATOR_H_
#define ALLOY_SRC_ADMIT_ELF_MUTATOR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace alloy::core {

template <typename T>
T Peek(const std::vector<std::byte>& image, size_t offset) {
  T value;
  std::memcpy(&value, image.data() + offset, sizeof(value));
  return value;
}

// Where the first program header of a type is; 0: the file does not have one.
inline size_t FindSegment(const std::vector<std::byte>& image, uint32_t type,
                          uint32_t flags = 0) {
  const auto at = Peek<uint64_t>(image, 32);
  for (size_t i = 0; i < Peek<uint16_t>(image, 56); ++i) {
    const size_t header = at + i * 56;
    if (Peek<uint32_t>(image, header) == type &&
        (Peek<uint32_t>(image, header + 4) & flags) == flags) {
      return header;
    }
  }
  return 0;
}

// Where an entry of the dynamic section is in the file; 0: the file does not have one.
inline size_t FindDynamic(const std::vector<std::byte>& image, int64_t tag) {
  const size_t segment = FindSegment(image, 2);
  const auto begin = Peek<uint64_t>(image, segment + 8);
  const auto size = Peek<uint64_t>(image, segment + 32);
  for (size_t at = begin; at < begin + size; at += 16) {
    if (Peek<int64_t>(image, at) == tag) return at;
  }
  return 0;
}

// Changes images, the same ones for one seed.
class ElfMutator {
 public:
  explicit ElfMutator(uint64_t seed) : random_(seed) {}

  // Up to four bytes. What decides lies in the headers and in the dynamic section: half of
  // the hits go there.
  void SetBytes(std::vector<std::byte>* image) {
    const size_t dynamic = FindDynamic(*image, 5) & ~size_t{255};
    for (uint64_t hits = 1 + (random_() % 4); hits > 0; --hits) {
      const size_t place = random_() % 4 == 0   ? dynamic + (random_() % 512)
                           : random_() % 2 == 0 ? random_() % 1024
                                                : random_() % image->size();
      if (place < image->size()) (*image)[place] = static_cast<std::byte>(random_());
    }
  }

  // Up to three numbers of headers and tables: all that precedes the code, and the writable
  // segment.
  void SetNumbers(std::vector<std::byte>* image) {
    const size_t code = FindSegment(*image, 1, 1), data = FindSegment(*image, 1, 2);
    const auto tables = Peek<uint64_t>(*image, code + 8);
    const auto data_at = Peek<uint64_t>(*image, data + 8);
    const auto data_size = Peek<uint64_t>(*image, data + 32);
    for (uint64_t hits = 1 + (random_() % 3); hits > 0; --hits) {
      const size_t place = random_() % 3 == 0   ? data_at + (random_() % data_size)
                           : random_() % 3 == 0 ? random_() % 1024
                                                : random_() % tables;
      const unsigned width = 1U << random_() % 4;
      const size_t at = place / width * width;
      if (at + 8 > image->size()) continue;
      uint64_t value = random_() % 2 == 0 ? kOdd[random_() % kOdd.size()] : random_();
      if (random_() % 4 == 0) value = Peek<uint64_t>(*image, at) + (random_() % 64) - 32;
      std::memcpy(image->data() + at, &value, width);
    }
  }

  // `n` bits of the code, or of all that is loaded.
  void FlipBits(std::vector<std::byte>* image, int n, bool only_code) {
    const size_t code = FindSegment(*image, 1, 1), data = FindSegment(*image, 1, 2);
    const size_t last = only_code ? code : data;
    const size_t begin = only_code ? Peek<uint64_t>(*image, code + 8) : 0;
    const size_t end =
        Peek<uint64_t>(*image, last + 8) + Peek<uint64_t>(*image, last + 32);
    for (; n > 0; --n) {
      const size_t at = begin + (random_() % (end - begin));
      (*image)[at] ^= static_cast<std::byte>(1U << random_() % 8);
    }
  }

  uint64_t Number(uint64_t below) { return random_() % below; }

 private:
  static constexpr auto kOdd =
      std::to_array<uint64_t>({0, 1, 2, 3, 7, 8, 24, 0xff, 0x1000, 0x7fff, 0xffff,
                               0x10000, 0x7fffffff, 0xffffffff, uint64_t{1} << 32U,
                               uint64_t{1} << 46U, uint64_t{1} << 63U, UINT64_MAX});
  std::mt19937_64 random_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ELF_MUTATOR_H_
