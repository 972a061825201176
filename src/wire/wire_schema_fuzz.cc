// SPDX-License-Identifier: MIT
//
// Reads a schema from the bytes of a hostile process. No read may leave the bytes; what is
// accepted is written and read again, and must be the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "arrow/layout.h"
#include "arrow/schema.h"
#include "wire/schemas.h"

namespace alloy::core {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void Fuzz(std::span<const uint8_t> data) {
  // A copy, so that nothing lies behind its end.
  const std::vector<std::byte> bytes(
      reinterpret_cast<const std::byte*>(data.data()),
      reinterpret_cast<const std::byte*>(data.data()) + data.size());
  ByteReader in(bytes);
  const auto schema = ReadSchema(in);
  if (!schema.ok()) {
    Require(schema.status().reason() != 0);
    return;
  }
  std::string key;
  Require(AppendFingerprint(**schema, &key).ok());
  (void)Layout::Of(**schema);
  std::vector<std::byte> again(bytes.size());
  ByteWriter out(again);
  Require(WriteSchema(**schema, out).ok() && !out.full());
  ByteReader in_again({again.data(), out.used()});
  const auto read = ReadSchema(in_again);
  std::string key_again;
  Require(read.ok() && AppendFingerprint(**read, &key_again).ok() && key == key_again);
}

}  // namespace
}  // namespace alloy::core

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  alloy::core::Fuzz({data, size});
  return 0;
}
