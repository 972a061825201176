// SPDX-License-Identifier: MIT
#include "arrow/schema_walk.h"

#include <cstring>

#include "arrow/fault.h"
#include "base/text.h"

namespace alloy::core {
namespace {

constexpr int64_t kLength = sizeof(int32_t);

int32_t LoadLength(const char* at) {
  int32_t length;
  std::memcpy(&length, at, sizeof(length));  // the block may lie anywhere
  return length;
}

void AppendPath(const SchemaPlace& place, std::string* path) {
  if (place.parent == nullptr) return;
  AppendPath(*place.parent, path);
  const char* name = place.schema == nullptr || place.schema->release == nullptr
                         ? nullptr
                         : place.schema->name;
  AppendPathPart(name == nullptr ? "" : name, place.ordinal, path);
}

}  // namespace

std::string PathOf(const SchemaPlace& place) {
  std::string path;
  AppendPath(place, &path);
  return path;
}

Status SchemaFault(const SchemaPlace& place, int32_t reason, std::string_view wanted,
                   std::string_view found) {
  return DataFault(reason, place.column, PathOf(place), wanted, found);
}

int64_t MetadataBytes(const char* metadata) {
  if (metadata == nullptr) return 0;
  const int32_t pairs = LoadLength(metadata);
  int64_t bytes = kLength;
  if (pairs < 0) return -1;
  for (int64_t i = 0; i < 2 * static_cast<int64_t>(pairs); ++i) {
    const int32_t length = LoadLength(metadata + bytes);
    bytes += kLength + length;
    // The block does not say where it ends: nothing but this bound stops a lie.
    if (length < 0 || bytes > kMostMetadata) return -1;
  }
  return bytes;
}

Status CheckSchemaNode(SchemaPlace* place) {
  const ArrowSchema* schema = place->schema;
  if (place->depth > kDeepest) {
    return SchemaFault(*place, ALLOY_REASON_TOO_DEEP,
                       "at most " + std::to_string(kDeepest) + " levels",
                       std::to_string(place->depth));
  }
  if (place->column >= kMostColumns) {
    return SchemaFault(*place, ALLOY_REASON_TOO_MANY_COLUMNS,
                       "at most " + std::to_string(kMostColumns), "more");
  }
  if (schema == nullptr) {
    return SchemaFault(*place, ALLOY_REASON_CHILD_NULL, "a schema", "NULL");
  }
  if (schema->release == nullptr) {
    return SchemaFault(*place, ALLOY_REASON_SCHEMA_RELEASED, "a live schema",
                       "a released one");
  }
  if (schema->format == nullptr) {
    return SchemaFault(*place, ALLOY_REASON_FORMAT_NULL, "a format string", "NULL");
  }
  place->metadata_bytes = MetadataBytes(schema->metadata);
  if (place->metadata_bytes < 0) {
    return SchemaFault(*place, ALLOY_REASON_METADATA,
                       "lengths of at least 0 and at most 64 MiB", "others");
  }
  return Status();
}

Status CheckSchemaChildren(const SchemaPlace& place, int32_t seen) {
  const ArrowSchema& schema = *place.schema;
  if (schema.n_children < 0) {
    return SchemaFault(place, ALLOY_REASON_CHILD_COUNT, "at least 0",
                       std::to_string(schema.n_children));
  }
  if (schema.n_children > kMostColumns + 1 - seen) {
    return SchemaFault(place, ALLOY_REASON_TOO_MANY_COLUMNS,
                       "at most " + std::to_string(kMostColumns),
                       std::to_string(schema.n_children));
  }
  if (schema.n_children > 0 && schema.children == nullptr) {
    return SchemaFault(place, ALLOY_REASON_CHILDREN_NULL,
                       std::to_string(schema.n_children) + " children", "NULL");
  }
  return Status();
}

}  // namespace alloy::core
