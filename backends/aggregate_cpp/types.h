// SPDX-License-Identifier: MIT
//
// What a column holds: how its values lie in memory, what they mean, and what the type is
// called.
//
// Threads  values.
#ifndef AGGREGATE_CPP_TYPES_H_
#define AGGREGATE_CPP_TYPES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "alloy/backend.hpp"

namespace aggregate {

// What a value is in C++: a date or a time is the integer that it is stored as.
enum class Storage : uint8_t {
  kInt8,
  kUInt8,
  kInt16,
  kUInt16,
  kInt32,
  kUInt32,
  kInt64,
  kUInt64,
  kFloat,
  kDouble,
  kDecimal,
  kBool,
  kText,
  kOther  // nothing that a view reads
};

enum class Meaning : uint8_t {
  kInteger,
  kFloat,
  kDecimal,
  kBoolean,
  kText,
  kDate,
  kTime,  // of day, or a point in time
  kOther
};

struct Type {
  Storage storage = Storage::kOther;
  Meaning meaning = Meaning::kOther;
  std::string name;    // such as Decimal128(15, 2)
  std::string format;  // as the Arrow C data interface writes it
  alloy::DecimalType decimal{};

  // Whether it is told apart by one word or two.
  bool is_fixed() const { return storage < Storage::kText; }
};

// The type of a format string.
Type TypeOf(std::string_view format);

// The type of a column as it lies there; a dictionary is kOther.
Type TypeOf(const ArrowSchema& column);

// The type of the values of a column: those of its dictionary, if it is one.
Type ValueTypeOf(const ArrowSchema& column);

// The same type of decimals, with other digits.
Type DecimalOf(alloy::DecimalType digits);

template <typename T>
struct TypeTag {
  using Type = T;
};

// Call `visit` with the TypeTag of numbers: integers, floats and decimals, dates and
// times among them. The storage must be one of these.
template <typename Visit>
auto WithNumber(Storage storage, Visit visit) {
  switch (storage) {
    case Storage::kInt8:
      return visit(TypeTag<int8_t>());
    case Storage::kUInt8:
      return visit(TypeTag<uint8_t>());
    case Storage::kInt16:
      return visit(TypeTag<int16_t>());
    case Storage::kUInt16:
      return visit(TypeTag<uint16_t>());
    case Storage::kInt32:
      return visit(TypeTag<int32_t>());
    case Storage::kUInt32:
      return visit(TypeTag<uint32_t>());
    case Storage::kInt64:
      return visit(TypeTag<int64_t>());
    case Storage::kUInt64:
      return visit(TypeTag<uint64_t>());
    case Storage::kFloat:
      return visit(TypeTag<float>());
    case Storage::kDouble:
      return visit(TypeTag<double>());
    case Storage::kDecimal:
      return visit(TypeTag<alloy::Decimal128>());
    default:
      throw alloy::Failure(ALLOY_INTERNAL, "values that are no numbers");
  }
}

// The same with bool as well.
template <typename Visit>
auto WithFixed(Storage storage, Visit visit) {
  return storage == Storage::kBool ? visit(TypeTag<bool>()) : WithNumber(storage, visit);
}

}  // namespace aggregate

#endif  // AGGREGATE_CPP_TYPES_H_
