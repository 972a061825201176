// SPDX-License-Identifier: MIT
//
// The format strings of the Arrow C data interface ("Data type description -- format
// strings"), read one at a time: what a string says of its own node. What it asks of
// children and dictionaries is the business of layout.h.
//
// Threads  values.
#ifndef ALLOY_SRC_ARROW_FORMAT_H_
#define ALLOY_SRC_ARROW_FORMAT_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace alloy::core {

enum class Type : uint8_t {
  kNull,
  kBoolean,
  kInt8,
  kUInt8,
  kInt16,
  kUInt16,
  kInt32,
  kUInt32,
  kInt64,
  kUInt64,
  kFloat16,
  kFloat32,
  kFloat64,
  kBinary,
  kLargeBinary,
  kBinaryView,
  kUtf8,
  kLargeUtf8,
  kUtf8View,
  kFixedSizeBinary,
  kDecimal32,
  kDecimal64,
  kDecimal128,
  kDecimal256,
  kDate32,
  kDate64,
  kTime32,
  kTime64,
  kTimestamp,
  kDuration,
  kIntervalYearMonth,
  kIntervalDayTime,
  kIntervalMonthDayNano,
  kList,
  kLargeList,
  kListView,
  kLargeListView,
  kFixedSizeList,
  kStruct,
  kMap,
  kSparseUnion,
  kDenseUnion,
  kRunEndEncoded,
};

// How an array of a type lies in memory.
enum class Form : uint8_t {
  kFixed,          // validity, values of `bits` each
  kOffsets,        // validity, offsets, bytes
  kViews,          // validity, views, any number of bytes, their sizes
  kList,           // validity, offsets; one child
  kListView,       // validity, offsets, sizes; one child
  kFixedSizeList,  // validity; one child
  kStruct,         // validity; any children, row by row
  kSparseUnion,    // type ids; any children, row by row
  kDenseUnion,     // type ids, offsets; any children
  kRunEnd,         // nothing; run ends and values
  kNull,           // nothing
};

// Whether arrays of a form begin with a validity bitmap.
constexpr bool HasValidity(Form form) {
  return form != Form::kSparseUnion && form != Form::kDenseUnion &&
         form != Form::kRunEnd && form != Form::kNull;
}

struct Format {
  Type type = Type::kNull;
  Form form = Form::kNull;
  uint8_t offset_bytes = 0;  // of one offset; 0: no offsets
  char unit = 0;             // s, m, u, n; 0: none
  int64_t bits = 0;          // of one fixed-size value
  int64_t size = 0;          // of a fixed-size list
  int32_t precision = 0;     // of a decimal
  int32_t scale = 0;
  int32_t n_type_ids = 0;       // of a union
  std::string_view parameters;  // the time zone, the type ids: as they stand
};

// Why a format string is none; reason 0 when it is one.
struct FormatFault {
  int32_t reason = 0;
  const char* wanted = "";  // what would have been right
};

// Read `text`, of which `format` keeps a view.
FormatFault ParseFormat(std::string_view text, Format* format);

// Which child each type id of a union means; -1: none.
std::array<int8_t, 128> ChildrenByTypeId(const Format& format);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_FORMAT_H_
