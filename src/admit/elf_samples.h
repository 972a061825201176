// SPDX-License-Identifier: MIT
//
// The libraries that the tests of admit inspect, and ways to damage them.
#ifndef ALLOY_SRC_ADMIT_ELF_SAMPLES_H_
#define ALLOY_SRC_ADMIT_ELF_SAMPLES_H_

#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "admit/elf.h"

namespace alloy::core {

inline std::string SamplePath(const std::string& name) {
  return ALLOY_ELF_SAMPLES + name;
}

inline std::vector<std::byte> ReadSample(const std::string& name) {
  std::ifstream file(SamplePath(name), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

template <typename T>
void Poke(std::vector<std::byte>& image, size_t offset, T value) {
  std::memcpy(image.data() + offset, &value, sizeof(value));
}

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

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ELF_SAMPLES_H_
