// SPDX-License-Identifier: MIT
//
// The inspection of a library, on any bytes: it ends, and reads nothing outside of them.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "admit/elf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto facts = alloy::core::CheckElf(std::as_bytes(std::span(data, size)));
  // What is let through has one export, and names what it needs without a path.
  if (facts.ok()) {
    if (facts->exports.size() != 1) std::abort();
    for (const std::string& name : facts->needed) {
      if (name.empty() || name.find_first_of("/$") != name.npos) std::abort();
    }
  }
  return 0;
}
