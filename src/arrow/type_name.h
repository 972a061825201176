// SPDX-License-Identifier: MIT
//
// The names of Arrow types in logs and error texts, the same in every language.
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
#ifndef ALLOY_SRC_ARROW_TYPE_NAME_H_
#define ALLOY_SRC_ARROW_TYPE_NAME_H_

#include <string>
#include <string_view>

#include "alloy/arrow_abi.h"

namespace alloy::core {

// The name of a type; `Unknown(format)` for a format that is not in the specification.
// Never fails: malformed children are `Unknown` too, and a long name is cut with `…`. The
// schema need not be checked before.
std::string TypeName(const ArrowSchema& schema);

// The name of one format of an alloy_column's `accepts`, without its children:
// `Timestamp(us, UTC)`, `List`, `Timestamp(us, *)` for `tsu:*`, `Dictionary(*, Utf8)` for
// `?:u`. A pattern without a name is returned in quotes.
std::string AcceptedName(std::string_view pattern);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_TYPE_NAME_H_
