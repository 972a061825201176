// SPDX-License-Identifier: MIT
//
// Typed views of columns: numbers, booleans, dates, times, decimals, fixed-size binaries,
// and columns of any type. For strings see strings.hpp, for lists list.hpp.
//
// A view reads an array that the gate has checked at level shape or higher, without a
// copy. It is valid while the array lives.
//
// Each view has: kAccepts, the types it may read, in the form of alloy_column.accepts
// (NULL: any type); kWanted, the same for people; Accepts, whether a schema is exactly
// one of those; and a constructor of schema and array.
//
// Threads  values: any thread may read while the array lives.
#ifndef ALLOY_COLUMN_HPP_
#define ALLOY_COLUMN_HPP_

#include <cstdint>
#include <string_view>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "alloy/detail/format_of.hpp"
#include "alloy/detail/rows.hpp"
#include "alloy/failure.hpp"
#include "alloy/types.hpp"

namespace alloy {

// A column of values of one width: numbers, booleans, dates, times, durations, decimals of
// a known precision, and fixed-size binaries. Column<T>(array) reads any column whose
// values have the width of T, whatever its format is.
template <typename T>
class Column : public detail::Values<T> {
 public:
  static_assert(detail::FixedWidth<T>,
                "a column of bool, (u)int8_t to (u)int64_t, float, double, or a type of "
                "alloy/types.hpp; for strings take alloy::Strings");
  static constexpr std::string_view kWanted = detail::AcceptsOf<T>();
  static constexpr const char* kAccepts = kWanted.data();

  static bool Accepts(const ArrowSchema& schema) {
    return schema.dictionary == nullptr && detail::AcceptsFormat(kWanted, schema.format);
  }

  explicit Column(const ArrowArray& array) : detail::Values<T>(array) {}
  Column(const ArrowSchema&, const ArrowArray& array) : Column(array) {}
};

// A column of moments of any time zone, or of none.
template <Unit unit>
class Column<Timestamp<unit>> : public detail::Values<Timestamp<unit>> {
 public:
  static constexpr std::string_view kWanted = detail::AcceptsOf<Timestamp<unit>>();
  static constexpr const char* kAccepts = kWanted.data();

  static bool Accepts(const ArrowSchema& schema) {
    return schema.dictionary == nullptr && detail::AcceptsFormat(kWanted, schema.format);
  }

  // `schema` is one that Accepts takes, and lives as long as this.
  Column(const ArrowSchema& schema, const ArrowArray& array)
      : detail::Values<Timestamp<unit>>(array),
        time_zone_(std::string_view(schema.format).substr(kWanted.size() - 1)) {}

  // The name of the time zone; empty without a time zone.
  std::string_view time_zone() const { return time_zone_; }

 private:
  std::string_view time_zone_;
};

// A column of decimals of 128 bits. Its values are unscaled.
template <>
class Column<Decimal128> : public detail::Values<Decimal128> {
 public:
  // A pattern cannot name the width, so bind refuses other widths later.
  static constexpr const char* kAccepts = "d:*";
  static constexpr std::string_view kWanted = "d:P,S of 128 bits";

  static bool Accepts(const ArrowSchema& schema) {
    return schema.dictionary == nullptr && DecimalType::Parse(schema.format).has_value();
  }

  // `schema` is one that Accepts takes.
  Column(const ArrowSchema& schema, const ArrowArray& array)
      : Values(array), type_(DecimalType::Parse(schema.format).value_or(DecimalType())) {}

  const DecimalType& type() const { return type_; }
  int32_t precision() const { return type_.precision; }
  int32_t scale() const { return type_.scale; }

 private:
  DecimalType type_;
};

// A column of any type, unchanged.
struct AnyColumn {
  static constexpr const char* kAccepts = nullptr;
  static constexpr std::string_view kWanted = "any type";
  static bool Accepts(const ArrowSchema&) { return true; }

  const ArrowSchema& schema;
  const ArrowArray& array;
  int64_t size() const { return array.length; }

  // A typed view of the column. Throws Failure if it has another type.
  template <typename View>
  View As() const {
    if (!View::Accepts(schema)) {
      throw Failure(ALLOY_INVALID, detail::Mismatch<View>(schema));
    }
    return View{schema, array};
  }
};

}  // namespace alloy

#endif  // ALLOY_COLUMN_HPP_
