// SPDX-License-Identifier: MIT
#include "arrow/schema_walk.h"

#include <cstring>

#include "arrow/fault.h"
#include "base/text.h"

namespace alloy::core {
namespace {

constexpr int64_t kLength = sizeof(int32_t);

// The block has no alignment.
int32_t LoadLength(const char* at) {
  int32_t length;
  std::memcpy(&length, at, sizeof(length));
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

Status SchemaFault(const SchemaPlace& place, int32_t reason, std::string_view what) {
  return DataFault(reason, {.column = place.column, .path = PathOf(place)}, what);
}

int64_t MetadataBytes(const char* metadata) {
  if (metadata == nullptr) return 0;
  const int32_t pairs = LoadLength(metadata);
  int64_t bytes = kLength;
  if (pairs < 0) return -1;
  for (int64_t i = 0; i < 2 * static_cast<int64_t>(pairs); ++i) {
    const int32_t length = LoadLength(metadata + bytes);
    bytes += kLength + length;
    // The block has no size of its own, so only this limit stops a false length.
    if (length < 0 || bytes > kMostMetadata) return -1;
  }
  return bytes;
}

Status CheckSchemaNode(SchemaPlace* place) {
  const ArrowSchema* schema = place->schema;
  // These limits also end the walk of a schema that contains itself.
  if (place->depth > kMostLevels) {
    return SchemaFault(
        *place, ALLOY_REASON_TOO_DEEP,
        "the schema has more than " + std::to_string(kMostLevels) + " levels");
  }
  if (place->column >= kMostColumns) {
    return SchemaFault(*place, ALLOY_REASON_TOO_MANY_COLUMNS,
                       "the schema has more than " + std::to_string(kMostColumns) +
                           " columns, nested ones included");
  }
  if (schema == nullptr) {
    return SchemaFault(*place, ALLOY_REASON_CHILD_NULL,
                       "the pointer to this schema is NULL");
  }
  if (schema->release == nullptr) {
    return SchemaFault(*place, ALLOY_REASON_SCHEMA_RELEASED,
                       "the schema is released, or was never filled");
  }
  if (schema->format == nullptr) {
    return SchemaFault(*place, ALLOY_REASON_FORMAT_NULL, "the format string is NULL");
  }
  place->metadata_bytes = MetadataBytes(schema->metadata);
  if (place->metadata_bytes < 0) {
    return SchemaFault(*place, ALLOY_REASON_METADATA,
                       "the metadata is malformed: expected lengths from 0 to 64 MiB");
  }
  return Status();
}

Status CheckSchemaChildren(const SchemaPlace& place, int32_t seen) {
  const ArrowSchema& schema = *place.schema;
  if (schema.n_children < 0) {
    return SchemaFault(
        place, ALLOY_REASON_CHILD_COUNT,
        "expected at least 0 children, found " + std::to_string(schema.n_children));
  }
  if (schema.n_children > kMostColumns + 1 - seen) {
    return SchemaFault(place, ALLOY_REASON_TOO_MANY_COLUMNS,
                       "expected at most " + std::to_string(kMostColumns) +
                           " columns, nested ones included; found " +
                           CountText(schema.n_children, "child") + " here");
  }
  if (schema.n_children > 0 && schema.children == nullptr) {
    return SchemaFault(place, ALLOY_REASON_CHILDREN_NULL,
                       "expected " + CountText(schema.n_children, "child") +
                           ", but the pointer to them is NULL");
  }
  return Status();
}

}  // namespace alloy::core
