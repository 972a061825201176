// SPDX-License-Identifier: MIT
//
// The parsers of a sidecar, on any bytes: the split, and the statement whether or not a
// split found it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trust/sidecar.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void ReadStatement(std::string_view message) {
  const auto statement = alloy::core::ParseStatement(message);
  if (!statement.ok()) return;
  Require(message.starts_with("alloy-statement-v1\n") && message.ends_with("end\n"));
  Require(statement->sha256.size() == 64 && statement->needed.size() <= 64);
  Require(std::ranges::is_sorted(statement->needed));
  Require(statement->size >= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadStatement(bytes);
  const auto sidecar = alloy::core::SplitSidecar(bytes);
  if (!sidecar.ok()) return 0;
  // The signed message is the beginning of the file, byte for byte.
  Require(bytes.starts_with(sidecar->message) && !sidecar->message.empty());
  Require(!sidecar->certificates.empty() && sidecar->certificates.size() <= 4);
  ReadStatement(sidecar->message);
  return 0;
}
