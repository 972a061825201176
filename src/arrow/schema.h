// SPDX-License-Identifier: MIT
//
// Schemas as things to keep: a copy, and a key for caches.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_SCHEMA_H_
#define ALLOY_SRC_ARROW_SCHEMA_H_

#include <string>

#include "alloy/arrow_abi.h"
#include "arrow/owned.h"
#include "base/result.h"

namespace alloy::core {

// Copy a schema with all that hangs on it, in one allocation. Children and dictionaries
// may be moved out of the copy and released on their own, in any order, on any thread.
// Format strings are copied as they are; only the structs are checked.
//   Fails  ALLOY_BAD_DATA, ALLOY_EXHAUSTED.
Result<OwnedSchema> CopySchema(const ArrowSchema& schema);

// Append everything that tells this schema from another: formats, names, flags, metadata,
// nesting. Schemas with the same bytes are the same. Formats are not read, so this is
// cheap enough to look a bound call up with; *key is left with a part on failure.
//   Fails  ALLOY_BAD_DATA.
Status AppendFingerprint(const ArrowSchema& schema, std::string* key);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_SCHEMA_H_
