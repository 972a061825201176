// SPDX-License-Identifier: MIT
#include "arrow/same_schema.h"

#include <string>
#include <string_view>
#include <vector>

#include "alloy/reason.h"
#include "arrow/schema_walk.h"
#include "arrow/type_name.h"
#include "base/text.h"

namespace alloy::core {
namespace {

std::string_view NameOf(const ArrowSchema& schema) {
  return schema.name == nullptr ? std::string_view() : schema.name;
}

// `"x": Int64 not null`
std::string FieldText(const SchemaPlace& place) {
  const ArrowSchema& schema = *place.schema;
  std::string text = place.parent == nullptr ? "" : Quoted(NameOf(schema)) + ": ";
  text += TypeName(schema);
  if (place.parent != nullptr && (schema.flags & ARROW_FLAG_NULLABLE) == 0) {
    text += " not null";
  }
  return text;
}

std::string_view MetadataOf(const SchemaPlace& place) {
  if (place.metadata_bytes == 0) return {};
  return {place.schema->metadata, static_cast<size_t>(place.metadata_bytes)};
}

// Compares two nodes without their children: the walk visits those next.
bool SameNode(const SchemaPlace& bound, const SchemaPlace& found) {
  const ArrowSchema& a = *bound.schema;
  const ArrowSchema& b = *found.schema;
  if (std::string_view(a.format) != b.format || a.n_children != b.n_children ||
      (a.dictionary == nullptr) != (b.dictionary == nullptr)) {
    return false;
  }
  return bound.parent == nullptr || (NameOf(a) == NameOf(b) && a.flags == b.flags &&
                                     MetadataOf(bound) == MetadataOf(found));
}

Status Differs(const SchemaPlace& bound, const SchemaPlace& found) {
  const std::string expected = FieldText(bound);
  std::string text = "the stream has another schema than was bound: expected ";
  text += expected + ", found " + FieldText(found);
  if (FieldText(found) == expected) text += " with other flags or metadata";
  return SchemaFault(found, ALLOY_REASON_STREAM_SCHEMA, text);
}

}  // namespace

Status CheckSameSchema(const ArrowSchema& bound, const ArrowSchema& found) {
  std::vector<SchemaPlace> places;
  ALLOY_TRY(WalkSchema(bound, [&places](const SchemaPlace& place) {
    // After the visit `parent` dangles. SameNode only compares it with NULL.
    places.push_back(place);
    return Status();
  }));
  size_t i = 0;
  // Both walks visit the same places: the second one ends at the first node that has
  // another number of children than its counterpart.
  return WalkSchema(found, [&](const SchemaPlace& place) {
    const SchemaPlace& expected = places[i++];
    return SameNode(expected, place) ? Status() : Differs(expected, place);
  });
}

}  // namespace alloy::core
