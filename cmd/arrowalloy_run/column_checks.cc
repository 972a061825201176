// SPDX-License-Identifier: MIT
#include "column_checks.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace arrowalloy::run {
namespace {

using arrow::Status;

constexpr int64_t kDaySeconds = 86400;

template <typename ArrayType, typename Accept>
Status CheckEach(const arrow::Array& column, const char* what, const Accept& accepts) {
  const auto& values = static_cast<const ArrayType&>(column);
  for (int64_t row = 0; row < values.length(); ++row) {
    if (values.IsNull(row) || accepts(values.Value(row))) continue;
    return Status::Invalid(what, ", in row ", row, " of the batch: ", values.Value(row));
  }
  return Status::OK();
}

// Arrow writes a day as year-month-day and drops the rest.
Status CheckWholeDays(const arrow::Array& column) {
  return CheckEach<arrow::Date64Array>(
      column, "a date64 with a time of day, which this format would lose",
      [](int64_t millis) { return millis % (kDaySeconds * 1000) == 0; });
}

// Arrow writes a time with the offset of its place in hours and minutes. The last place whose
// offset had seconds was Liberia, until 1972: such times would move.
Status CheckOffsets(const arrow::Array& column, int64_t per_second) {
  const auto& type = static_cast<const arrow::TimestampType&>(*column.type());
  if (type.timezone().empty() || type.timezone() == "UTC") return Status::OK();
  constexpr int64_t kYearsWithSeconds = int64_t{3} * 365;  // days of 1970 and later
  const auto& times = static_cast<const arrow::TimestampArray&>(column);
  bool old = false;
  for (int64_t row = 0; row < times.length(); ++row) {
    old = old || (times.IsValid(row) &&
                  times.Value(row) / per_second / kDaySeconds < kYearsWithSeconds);
  }
  if (!old) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto texts, arrow::compute::Cast(column, arrow::utf8()));
  ARROW_ASSIGN_OR_RAISE(
      const auto back,
      arrow::compute::Cast(*texts, arrow::timestamp(type.unit(), "UTC")));
  const auto& read = static_cast<const arrow::TimestampArray&>(*back);
  int64_t row = 0;
  return CheckEach<arrow::TimestampArray>(
      column, "a time whose offset to UTC has seconds, which CSV would lose",
      [&](int64_t value) {
        while (read.IsNull(row)) ++row;  // CheckEach leaves nulls out, too
        return read.Value(row++) == value;
      });
}

// Arrow writes "<value out of range>" for years beyond those of its calendar.
constexpr int64_t kMaxDays = int64_t{365} * 30000;

}  // namespace

Status CheckCalendar(const arrow::Array& column) {
  constexpr char kFar[] = "a time beyond the years that CSV can hold";
  switch (column.type_id()) {
    case arrow::Type::DATE32:
      return CheckEach<arrow::Date32Array>(
          column, kFar, [](int64_t days) { return std::abs(days) < kMaxDays; });
    case arrow::Type::DATE64:
      return CheckEach<arrow::Date64Array>(column, kFar, [](int64_t millis) {
        return std::abs(millis / (kDaySeconds * 1000)) < kMaxDays;
      });
    case arrow::Type::TIMESTAMP: {
      const auto unit = static_cast<const arrow::TimestampType&>(*column.type()).unit();
      const int64_t per_second = unit == arrow::TimeUnit::SECOND  ? 1
                                 : unit == arrow::TimeUnit::MILLI ? 1000
                                 : unit == arrow::TimeUnit::MICRO ? 1000000
                                                                  : 1000000000;
      ARROW_RETURN_NOT_OK(
          CheckEach<arrow::TimestampArray>(column, kFar, [=](int64_t value) {
            return std::abs(value / per_second / kDaySeconds) < kMaxDays;
          }));
      return CheckOffsets(column, per_second);
    }
    case arrow::Type::TIME32: {
      const auto unit = static_cast<const arrow::Time32Type&>(*column.type()).unit();
      const int64_t day = kDaySeconds * (unit == arrow::TimeUnit::SECOND ? 1 : 1000);
      return CheckEach<arrow::Time32Array>(
          column, "a time that is not within a day",
          [=](int64_t value) { return value >= 0 && value < day; });
    }
    case arrow::Type::TIME64: {
      const auto unit = static_cast<const arrow::Time64Type&>(*column.type()).unit();
      const int64_t day =
          kDaySeconds * (unit == arrow::TimeUnit::MICRO ? 1000000 : 1000000000);
      return CheckEach<arrow::Time64Array>(
          column, "a time that is not within a day",
          [=](int64_t value) { return value >= 0 && value < day; });
    }
    default:
      return Status::OK();
  }
}

Status CheckDates(const arrow::Array& column) {
  if (column.type_id() == arrow::Type::DATE64) return CheckWholeDays(column);
  if (column.type_id() == arrow::Type::EXTENSION) {
    return CheckDates(*static_cast<const arrow::ExtensionArray&>(column).storage());
  }
  for (const auto& child : column.data()->child_data) {
    if (child != nullptr) ARROW_RETURN_NOT_OK(CheckDates(*arrow::MakeArray(child)));
  }
  if (column.data()->dictionary != nullptr) {
    return CheckDates(*arrow::MakeArray(column.data()->dictionary));
  }
  return Status::OK();
}

bool HoldsDate64(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DATE64) return true;
  if (type.id() == arrow::Type::EXTENSION) {
    return HoldsDate64(*static_cast<const arrow::ExtensionType&>(type).storage_type());
  }
  if (type.id() == arrow::Type::DICTIONARY) {
    return HoldsDate64(*static_cast<const arrow::DictionaryType&>(type).value_type());
  }
  return std::ranges::any_of(
      type.fields(), [](const auto& field) { return HoldsDate64(*field->type()); });
}

}  // namespace arrowalloy::run
