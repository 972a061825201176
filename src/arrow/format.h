// SPDX-License-Identifier: MIT
//
// Parses the format strings of the Arrow C data interface ("Data type description --
// format strings"), one string at a time. layout.h checks children and dictionaries.
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

inline constexpr Type kLastType = Type::kRunEndEncoded;

// How the arrays of a type lie in memory: the buffers, then the children.
// layout_rules.h has the rules of each form.
enum class Form : uint8_t {
  kFixed,          // validity, values of `bits` each
  kOffsets,        // validity, offsets, bytes
  kViews,          // validity, views, any number of variadic buffers, their sizes
  kList,           // validity, offsets; one child
  kListView,       // validity, offsets, sizes; one child
  kFixedSizeList,  // validity; one child
  kStruct,         // validity; any children, row by row
  kSparseUnion,    // type ids; one child for each type id, row by row
  kDenseUnion,     // type ids, offsets; one child for each type id
  kRunEnd,         // no buffers; run ends and values
  kNull,           // no buffers
};

inline constexpr Form kLastForm = Form::kNull;

constexpr bool IsInteger(Type type) {
  return type >= Type::kInt8 && type <= Type::kUInt64;
}

constexpr bool IsUnsigned(Type type) {
  return type == Type::kUInt8 || type == Type::kUInt16 || type == Type::kUInt32 ||
         type == Type::kUInt64;
}

struct Format {
  Type type = Type::kNull;
  Form form = Form::kNull;
  uint8_t offset_bytes = 0;  // of one offset; 0: the form has no offsets
  char unit = 0;             // of time: s, m, u or n; 0: not a type of time
  int64_t bits = 0;          // of one fixed-size value
  int64_t size = 0;          // of a fixed-size list
  int32_t precision = 0;     // of a decimal
  int32_t scale = 0;
  int32_t n_type_ids = 0;       // of a union
  std::string_view parameters;  // the time zone, or the type ids, as written
};

// Why a format string is refused; reason 0 if it is accepted.
struct FormatFault {
  int32_t reason = 0;
  const char* expected = "";  // the parameter that would be accepted
};

// Parse `text`. `format` keeps a view of it.
FormatFault ParseFormat(std::string_view text, Format* format);

// The child of each type id of a union; -1: the union does not have this type id.
std::array<int8_t, 128> ChildrenByTypeId(const Format& format);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_FORMAT_H_
