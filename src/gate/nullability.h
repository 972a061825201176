// SPDX-License-Identifier: MIT
//
// Nulls in columns that the schema declares not nullable.
//
// A null counts only if a reader can see it: a field of a null struct, or an item of a
// null list, may be null although it is declared not nullable. Nulls of dictionaries, of
// unions, of run ends and of list views are those of their values, and are not checked
// against the column.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_NULLABILITY_H_
#define ALLOY_SRC_GATE_NULLABILITY_H_

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"
#include "gate/level.h"

namespace alloy::core {

// Check a batch whose rows have passed rows.h. From level safe on, a column that is
// declared not nullable has no nulls. From level full on, or if the values are trusted,
// map entries and keys have none, whatever the schema says. An array with a null count of
// 0 costs nothing; one without a null count costs a pass over its bitmap.
//   Fails  ALLOY_BAD_DATA  with reason NOT_NULLABLE or MAP_NULLS, column and row.
Status CheckNullability(const Layout& layout, Checks checks, const ArrowArray& batch);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_NULLABILITY_H_
