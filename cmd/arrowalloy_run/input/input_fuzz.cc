// SPDX-License-Identifier: MIT
//
// Reads any bytes as an input of `arrowalloy run`: Arrow IPC streams and files, Parquet, CSV,
// and each of them compressed. Half of them come through a pipe.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "read_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  arrowalloy::run::ReadBytes(bytes, /*as_pipe=*/size % 2 == 1);
  return 0;
}
