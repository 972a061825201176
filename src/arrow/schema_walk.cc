// SPDX-License-Identifier: MIT
#include "arrow/schema_walk.h"

#include <cstring>

#include "arrow/fault.h"
#include "base/text.h"

namespace alloy::core {
namespace {

constexpr int64_t kLength = sizeof(int32_t);
// Of MetadataBytes.
constexpr int64_t kMalformed = -1;
constexpr int64_t kTooMuch = -2;

// The block has no alignment.
int32_t LoadLength(const char* at) {
  int32_t length;
  std::memcpy(&length, at, sizeof(length));
  return length;
}

bool TakeBytes(int64_t bytes, SchemaBudget* budget) {
  if (bytes > budget->bytes) return false;
  budget->bytes -= bytes;
  return true;
}

// Reads no further than the budget reaches.
bool TakeText(const char* text, SchemaBudget* budget) {
  if (text == nullptr) return true;
  const auto limit = static_cast<size_t>(budget->bytes);
  const size_t length = ::strnlen(text, limit);
  return length < limit && TakeBytes(static_cast<int64_t>(length) + 1, budget);
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

// The block has no size of its own, so only the limits stop false numbers. A string takes
// at least the bytes of its length.
int64_t MetadataBytes(const char* metadata, int64_t limit) {
  if (metadata == nullptr) return 0;
  if (limit < kLength) return kTooMuch;
  const int32_t pairs = LoadLength(metadata);
  int64_t strings = 2 * static_cast<int64_t>(pairs);
  int64_t bytes = kLength;
  if (pairs < 0 || bytes + strings * kLength > kMostMetadata) return kMalformed;
  for (; strings > 0; --strings) {
    if (bytes + strings * kLength > limit) return kTooMuch;
    const int32_t length = LoadLength(metadata + bytes);
    bytes += kLength + length;
    if (length < 0 || bytes + (strings - 1) * kLength > kMostMetadata) return kMalformed;
  }
  return bytes > limit ? kTooMuch : bytes;
}

Status CheckSchemaNode(SchemaPlace* place, SchemaBudget* budget) {
  const ArrowSchema* schema = place->schema;
  // These limits also end the walk of a schema that contains itself.
  if (place->depth > kMostLevels) {
    return SchemaFault(
        *place, ALLOY_REASON_TOO_DEEP,
        "the schema has more than " + std::to_string(kMostLevels) + " levels");
  }
  if (place->parent != nullptr && budget->columns-- == 0) {
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
  place->metadata_bytes = MetadataBytes(schema->metadata, budget->bytes);
  if (place->metadata_bytes == kMalformed) {
    return SchemaFault(*place, ALLOY_REASON_METADATA,
                       "the metadata is malformed: expected lengths from 0 to 64 MiB");
  }
  if (place->metadata_bytes == kTooMuch || !TakeBytes(place->metadata_bytes, budget) ||
      !TakeText(schema->format, budget) || !TakeText(schema->name, budget)) {
    return SchemaFault(*place, ALLOY_REASON_SCHEMA_SIZE,
                       "the names, formats and metadata up to here have more than 64 "
                       "MiB together");
  }
  return Status();
}

Status CheckSchemaChildren(const SchemaPlace& place, const SchemaBudget& budget) {
  const ArrowSchema& schema = *place.schema;
  if (schema.n_children < 0) {
    return SchemaFault(
        place, ALLOY_REASON_CHILD_COUNT,
        "expected at least 0 children, found " + std::to_string(schema.n_children));
  }
  if (schema.n_children > budget.columns) {
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
