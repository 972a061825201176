// SPDX-License-Identifier: MIT
//
// The libraries that the tests of admit inspect. elf_mutator.h damages them.
#ifndef ALLOY_SRC_ADMIT_ELF_SAMPLES_H_
#define ALLOY_SRC_ADMIT_ELF_SAMPLES_H_

#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "admit/elf.h"
#include "admit/elf_mutator.h"

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

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ELF_SAMPLES_H_
