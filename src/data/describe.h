// SPDX-License-Identifier: MIT
//
// Arrow types and arrays as text, for logs and error texts: one form for every language.
//
// Types are named as arrow-rs and arrow-go name them: Null, Boolean, Int8 to UInt64,
// Float16 to Float64, Utf8, LargeUtf8, Utf8View, Binary, LargeBinary, BinaryView,
// FixedSizeBinary(16), Decimal128(10, 2), Date32, Time64(us), Timestamp(ms),
// Timestamp(ms, UTC), Duration(s), Interval(YearMonth | DayTime | MonthDayNano),
// List(Int32), LargeList, ListView, LargeListView, FixedSizeList(3, Int32),
// Struct(a: Int32, b: Utf8), Map(Utf8, Int32), Union(sparse; a: Int32, b: Utf8),
// Union(dense; ...), Dictionary(Int32, Utf8), RunEndEncoded(Int32, Utf8).
//
// Threads  shared.
#ifndef ALLOY_SRC_DATA_DESCRIBE_H_
#define ALLOY_SRC_DATA_DESCRIBE_H_

#include <string>

#include "alloy/arrow_abi.h"
#include "base/result.h"

namespace alloy::core {

// The name of a type; `Unknown(format)` for what is none. Never fails: whatever is
// malformed below is unknown too, and a long name is cut with `…`.
std::string TypeName(const ArrowSchema& schema);

// `Int32[1, null, -4]` for numbers, booleans and strings: at most 16 values and then
// `… n more`. Strings stand in double quotes; quotes, backslashes, control characters and
// bytes that are no UTF-8 are escaped. `Type[n rows]` for every other type.
//   Fails  ALLOY_BAD_DATA  when schema or array is malformed, or a string that would be
//                          shown leaves its buffer.
Result<std::string> Describe(const ArrowSchema& schema, const ArrowArray& array);

}  // namespace alloy::core

#endif  // ALLOY_SRC_DATA_DESCRIBE_H_
