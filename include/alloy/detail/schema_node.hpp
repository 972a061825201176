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
#include <vector>

#include "alloy/arrow_abi.h"

namespace alloy::detail {

// The bytes of a metadata block ("The Arrow C data interface", "metadata"): a count, then
// for each pair the length and bytes of key and value.
inline size_t MetadataBytes(const char* metadata) {
  const char* at = metadata;
  const auto number = [&at] {
    int32_t value = 0;
    std::memcpy(&value, at, sizeof(value));
    at += sizeof(value);
    return value;
  };
  for (int64_t strings = 2 * static_cast<int64_t>(number()); strings > 0; --strings) {
    const int32_t bytes = number();
    at += bytes;
  }
  return static_cast<size_t>(at - metadata);
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
