// SPDX-License-Identifier: MIT
//
// The walk over an archive, on any bytes: an answer, and nothing read outside of them.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "admit/archive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto facts = alloy::core::WalkArchive(bytes);
  // What may be linked is an archive, and as many headers fit into it.
  if (facts.ok() && (!alloy::core::IsArchive(bytes) || facts->objects == 0 ||
                     facts->objects > size / 60)) {
    std::abort();
  }
  return 0;
}
