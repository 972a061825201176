// SPDX-License-Identifier: MIT
//
// Walks a schema that nobody has checked yet. All code that reads a whole schema uses this
// walk, so that one place checks the pointers and counts.
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

inline constexpr int32_t kMostLevels = 64;             // below the root
inline constexpr int32_t kMostColumns = 1 << 20;       // nested ones included
inline constexpr int64_t kMostSchemaBytes = 64 << 20;  // names, formats and metadata
inline constexpr int64_t kMostMetadata = kMostSchemaBytes;

// What the walks of schemas that belong together may still visit and read. The nodes of a
// schema may be one and the same struct, so limits for one node would not limit the work.
struct SchemaBudget {
  int64_t columns = kMostColumns;
  int64_t bytes = kMostSchemaBytes;
};

// A node of a schema and its place in the tree. Lives only during the visit.
struct SchemaPlace {
  const ArrowSchema* schema = nullptr;
  const SchemaPlace* parent = nullptr;
  int64_t ordinal = 0;  // among the children of the parent; -1: its dictionary
  int32_t column = -1;
  int32_t depth = 0;
  int64_t metadata_bytes = 0;  // 0: no metadata
};

std::string PathOf(const SchemaPlace& place);

// DataFault (fault.h) at this place.
Status SchemaFault(const SchemaPlace& place, int32_t reason, std::string_view what);

// Check a node without its children, and measure its metadata. Takes the node from the
// budget.
Status CheckSchemaNode(SchemaPlace* place, SchemaBudget* budget);

// Check the pointer to the children and their number.
Status CheckSchemaChildren(const SchemaPlace& place, const SchemaBudget& budget);

// The size of a metadata block ("The Arrow C data interface", ArrowSchema.metadata).
// Nothing is read that cannot belong to a block of at most `limit` bytes.
//   Fails  -1  it is malformed.
//          -2  it is larger than the limit.
int64_t MetadataBytes(const char* metadata, int64_t limit = kMostMetadata);

// Calls Status visit(const SchemaPlace&) for each node in preorder. A dictionary comes
// before the children. Ends at the first fault.
template <typename Visit>
class SchemaWalk {
 public:
  SchemaWalk(Visit& visit, SchemaBudget* budget) : visit_(visit), budget_(*budget) {}

  Status Go(SchemaPlace place) {
    place.column = count_ - 1;
    ++count_;
    ALLOY_TRY(CheckSchemaNode(&place, &budget_));
    ALLOY_TRY(visit_(std::as_const(place)));
    ALLOY_TRY(CheckSchemaChildren(place, budget_));
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
  SchemaBudget& budget_;
  int32_t count_ = 0;
};

template <typename Visit>
Status WalkSchema(const ArrowSchema& schema, Visit&& visit, SchemaBudget* budget) {
  return SchemaWalk<std::remove_reference_t<Visit>>(visit, budget)
      .Go({.schema = &schema});
}
template <typename Visit>
Status WalkSchema(const ArrowSchema& schema, Visit&& visit) {
  SchemaBudget budget;
  return WalkSchema(schema, visit, &budget);
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_SCHEMA_WALK_H_
