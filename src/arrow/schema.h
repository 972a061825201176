// SPDX-License-Identifier: MIT
//
// Copies schemas, and makes keys of them for caches.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_SCHEMA_H_
#define ALLOY_SRC_ARROW_SCHEMA_H_

#include <string>

#include "alloy/arrow_abi.h"
#include "arrow/owned.h"
#include "arrow/schema_walk.h"
#include "base/result.h"

namespace alloy::core {

// Copy a schema with everything below it, in one allocation. Children and dictionaries
// may be moved out of the copy and released separately, in any order, on any thread.
// Only the structs are checked; format strings are copied without being parsed.
//   Fails  ALLOY_BAD_DATA, ALLOY_EXHAUSTED.
Result<OwnedSchema> CopySchema(const ArrowSchema& schema);

// Append all that makes schemas different: formats, names, flags, metadata, nesting. Two
// schemas are equal if and only if their keys are equal. Formats are not parsed, so this
// is cheap enough for the lookup of a bound call. On failure *key may hold a part.
//   Fails  ALLOY_BAD_DATA.
// The schemas of one key share a budget.
Status AppendFingerprint(const ArrowSchema& schema, SchemaBudget* budget,
                         std::string* key);
inline Status AppendFingerprint(const ArrowSchema& schema, std::string* key) {
  SchemaBudget budget;
  return AppendFingerprint(schema, &budget, key);
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_SCHEMA_H_
