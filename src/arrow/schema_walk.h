// SPDX-License-Identifier: MIT
//
// One walk over a schema that nobody has checked: everything that reads a whole schema
// goes through here, so that the pointers and counts are judged in one place.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_SCHEMA_WALK_H_
#define ALLOY_SRC_ARROW_SCHEMA_WALK_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "alloy/arrow_abi.h"
#include "base/result.h"

namespace alloy::core {

inline constexpr int32_t kDeepest = 64;           // levels below the root
inline constexpr int32_t kMostColumns = 1 << 20;  // nested ones included
inline constexpr int64_t kMostMetadata = 64 << 20;

// A node of a schema, seen from the root. Lives as long as the visit.
struct SchemaPlace {
  const ArrowSchema* schema = nullptr;
  const SchemaPlace* parent = nullptr;
  int64_t ordinal = 0;  // among the children of the parent; -1: its dictionary
  int32_t column = -1;
  int32_t depth = 0;
  int64_t metadata_bytes = 0;  // 0: no metadata
};

std::string PathOf(const SchemaPlace& place);

// A fault of the schema at this place.
Status SchemaFault(const SchemaPlace& place, int32_t reason, std::string_view wanted,
                   std::string_view found);

// Check what can be said of a node by itself, and measure its metadata.
Status CheckSchemaNode(SchemaPlace* place);

// Check the pointers and counts below a node, of which `seen` are counted so far.
Status CheckSchemaChildren(const SchemaPlace& place, int32_t seen);

// Measure a metadata block ("The Arrow C data interface", ArrowSchema.metadata); -1 when
// it is malformed.
int64_t MetadataBytes(const char* metadata);

// Visits each node in preorder, a dictionary before the children: Status
// Visit(const SchemaPlace&).
template <typename Visit>
class SchemaWalk {
 public:
  explicit SchemaWalk(Visit& visit) : visit_(visit) {}

  Status Go(SchemaPlace place) {
    place.column = count_ - 1;
    ++count_;
    ALLOY_TRY(CheckSchemaNode(&place));
    ALLOY_TRY(visit_(std::as_const(place)));
    ALLOY_TRY(CheckSchemaChildren(place, count_));
    const ArrowSchema& schema = *place.schema;
    if (schema.dictionary != nullptr) ALLOY_TRY(Below(place, schema.dictionary, -1));
    for (int64_t i = 0; i < schema.n_children; ++i) {
      ALLOY_TRY(Below(place, schema.children[i], i));
    }
    return Status();
  }

 private:
  Status Below(const SchemaPlace& parent, const ArrowSchema* schema, int64_t ordinal) {
    return Go({.schema = schema,
               .parent = &parent,
               .ordinal = ordinal,
               .depth = parent.depth + 1});
  }

  Visit& visit_;
  int32_t count_ = 0;
};

template <typename Visit>
Status WalkSchema(const ArrowSchema& schema, Visit&& visit) {
  return SchemaWalk<std::remove_reference_t<Visit>>(visit).Go({.schema = &schema});
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_SCHEMA_WALK_H_
