// SPDX-License-Identifier: MIT
//
// Schemas in the bytes of a message.
#ifndef ALLOY_SRC_WIRE_SCHEMAS_H_
#define ALLOY_SRC_WIRE_SCHEMAS_H_

#include "alloy/arrow_abi.h"
#include "arrow/owned.h"
#include "base/result.h"
#include "wire/bytes.h"

namespace alloy::core {

//   Fails  BAD_DATA: the struct is malformed (arrow/schema_walk.h).
Status WriteSchema(const ArrowSchema& schema, ByteWriter& out);

// Read a schema that the other side may have made up. Only the structs are checked, and
// formats are not parsed: Layout does that.
//   Fails  BAD_DATA, EXHAUSTED.
Result<OwnedSchema> ReadSchema(ByteReader& in);

}  // namespace alloy::core

#endif  // ALLOY_SRC_WIRE_SCHEMAS_H_
