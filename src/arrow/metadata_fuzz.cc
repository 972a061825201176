// SPDX-License-Identifier: MIT
//
// Measures and copies metadata blocks of any lengths. A block has no size of its own, so
// those that leave their bytes are skipped. All others must be measured right, and copied
// whole.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "arrow/schema.h"
#include "arrow/schema_walk.h"

namespace alloy::core {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

// The size of the block; -1 if it is malformed; nothing if it leaves its bytes.
std::optional<int64_t> Measure(const uint8_t* data, size_t size) {
  size_t at = 0;
  const auto number = [&]() -> std::optional<int32_t> {
    int32_t value = 0;
    if (size - at < sizeof(value)) return std::nullopt;
    std::memcpy(&value, data + at, sizeof(value));
    at += sizeof(value);
    return value;
  };
  const auto pairs = number();
  if (!pairs) return std::nullopt;
  if (*pairs < 0) return -1;
  for (int64_t i = 0; i < 2 * int64_t{*pairs}; ++i) {
    const auto length = number();
    if (!length) return std::nullopt;
    const int64_t end = static_cast<int64_t>(at) + *length;
    if (*length < 0 || end > kMostMetadata) return -1;
    if (static_cast<size_t>(end) > size) return std::nullopt;
    at = static_cast<size_t>(end);
  }
  return static_cast<int64_t>(at);
}

}  // namespace
}  // namespace alloy::core

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace alloy::core;  // NOLINT(google-build-using-namespace)
  const auto measured = Measure(data, size);
  if (!measured) return 0;
  const auto* metadata = reinterpret_cast<const char*>(data);
  Require(MetadataBytes(metadata) == *measured);
  ArrowSchema schema{};
  schema.format = "i";
  schema.metadata = metadata;
  schema.release = [](ArrowSchema* self) { self->release = nullptr; };
  auto copy = CopySchema(schema);
  Require(copy.ok() == (*measured > 0));
  if (copy.ok()) {
    Require(std::memcmp((*copy)->metadata, data, static_cast<size_t>(*measured)) == 0);
  }
  return 0;
}
