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

// Of two nodes at the same place; what is below them comes after.
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
  const std::string wanted = FieldText(bound);
  std::string got = FieldText(found);
  if (got == wanted) got += " with other flags or metadata";
  return SchemaFault(found, ALLOY_REASON_STREAM_SCHEMA, wanted, got);
}

}  // namespace

Status CheckSameSchema(const ArrowSchema& bound, const ArrowSchema& found) {
  std::vector<SchemaPlace> places;
  ALLOY_TRY(WalkSchema(bound, [&places](const SchemaPlace& place) {
    places.push_back(place);
    // Of the parent, which is gone after its visit, only whether there is one is asked.
    return Status();
  }));
  size_t i = 0;
  // As long as each node has as many children, both walks go the same way.
  return WalkSchema(found, [&](const SchemaPlace& place) {
    const SchemaPlace& wanted = places[i++];
    return SameNode(wanted, place) ? Status() : Differs(wanted, place);
  });
}

}  // namespace alloy::core
