// SPDX-License-Identifier: MIT
//
// The memory behind an ArrowSchema that C++ made.
#ifndef ALLOY_DETAIL_SCHEMA_NODE_HPP_
#define ALLOY_DETAIL_SCHEMA_NODE_HPP_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alloy/arrow_abi.h"

namespace alloy::detail {

// A metadata block ("The Arrow C data interface", "metadata") as bytes: a count, then for
// each pair the length and bytes of key and value. For a malformed block, or one above 64
// MiB, a block that the engine refuses. Nothing is read that cannot belong to a smaller
// one.
inline std::string_view MetadataOf(const char* metadata) {
  constexpr std::string_view kMalformed = "\xff\xff\xff\xff";  // -1 pairs
  constexpr int64_t kMost = 64 << 20;
  constexpr int64_t kLength = sizeof(int32_t);
  const auto number = [metadata](int64_t at) {
    int32_t value = 0;
    std::memcpy(&value, metadata + at, sizeof(value));
    return int64_t{value};
  };
  int64_t end = kLength;
  int64_t strings = 2 * number(0);
  if (strings < 0) return kMalformed;
  for (; strings > 0; --strings) {
    if (end + strings * kLength > kMost) return kMalformed;
    const int64_t bytes = number(end);
    if (bytes < 0) return kMalformed;
    end += kLength + bytes;
  }
  if (end > kMost) return kMalformed;
  return {metadata, static_cast<size_t>(end)};
}

struct SchemaNode {
  std::string format;
  std::string name;
  std::string metadata;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> child_pointers;
  ArrowSchema dictionary{};
};

inline void ReleaseSchemaNode(ArrowSchema* schema) {
  const std::unique_ptr<SchemaNode> node(static_cast<SchemaNode*>(schema->private_data));
  for (ArrowSchema& child : node->children) {
    if (child.release != nullptr) child.release(&child);
  }
  if (node->dictionary.release != nullptr) node->dictionary.release(&node->dictionary);
  schema->release = nullptr;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_SCHEMA_NODE_HPP_
