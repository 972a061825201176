// SPDX-License-Identifier: MIT
#include "int96.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <utility>

#include "../arrow_error.h"

namespace arrowalloy::run {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;

bool IsTimestamp(const arrow::DataType& type, arrow::TimeUnit::type unit) {
  return type.id() == arrow::Type::TIMESTAMP &&
         static_cast<const arrow::TimestampType&>(type).unit() == unit;
}

// The same values in both units. `in_nanoseconds`: which of the two is the result.
arrow::Status CheckValues(const arrow::ArrayData& micros, const arrow::ArrayData& nanos,
                          bool in_nanoseconds, const std::string& column, int64_t rows) {
  if (!IsTimestamp(*micros.type, arrow::TimeUnit::MICRO) ||
      !IsTimestamp(*nanos.type, arrow::TimeUnit::NANO)) {
    for (size_t i = 0; i < micros.child_data.size(); ++i) {
      ARROW_RETURN_NOT_OK(CheckValues(*micros.child_data[i], *nanos.child_data[i],
                                      in_nanoseconds, column, rows));
    }
    return {};
  }
  const auto* us = micros.GetValues<int64_t>(1);
  const auto* ns = nanos.GetValues<int64_t>(1);
  for (int64_t i = 0; i < micros.length; ++i) {
    if (micros.IsNull(i)) continue;
    // Modulo 2^64, as Arrow computed them.
    const uint64_t rest =
        static_cast<uint64_t>(ns[i]) - static_cast<uint64_t>(us[i]) * uint64_t{1000};
    const bool fits_us = rest < 1000;
    const bool fits_ns = fits_us && us[i] >= INT64_MIN / 1000 && us[i] < INT64_MAX / 1000;
    if (in_nanoseconds ? fits_ns : rest == 0) continue;
    const auto where = arrow::Status::Invalid("column ", column, ", row ", rows + i + 1);
    if (!fits_us) {
      return where.WithMessage(where.message(),
                               ": the timestamp of 96 bits is outside timestamp[us]");
    }
    return where.WithMessage(
        where.message(), ": the timestamp of 96 bits ",
        in_nanoseconds
            ? "is outside timestamp[ns], which ends in 2262; leave --cast away"
            : "has nanoseconds, which timestamp[us] does not hold; pass --cast '" +
                  column + "=timestamp[ns]'");
  }
  return {};
}

class Int96Reader final : public arrow::RecordBatchReader {
 public:
  Int96Reader(ReaderPtr micros, ReaderPtr nanos, std::shared_ptr<arrow::Schema> schema)
      : micros_(std::move(micros)),
        nanos_(std::move(nanos)),
        schema_(std::move(schema)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(BatchPtr* out) override {
    BatchPtr micros, nanos;
    out->reset();
    ARROW_RETURN_NOT_OK(micros_->ReadNext(&micros));
    ARROW_RETURN_NOT_OK(nanos_->ReadNext(&nanos));
    if (micros == nullptr || nanos == nullptr) return {};
    if (micros->num_rows() != nanos->num_rows()) {
      return arrow::Status::Invalid("two reads of the file disagree; it has changed");
    }
    arrow::ArrayVector columns;
    for (int i = 0; i < schema_->num_fields(); ++i) {
      const auto& field = *schema_->field(i);
      const bool in_nanoseconds = field.type()->Equals(nanos->column(i)->type()) &&
                                  !field.type()->Equals(micros->column(i)->type());
      ARROW_RETURN_NOT_OK(CheckValues(*micros->column_data(i), *nanos->column_data(i),
                                      in_nanoseconds, field.name(), rows_));
      columns.push_back((in_nanoseconds ? nanos : micros)->column(i));
    }
    rows_ += micros->num_rows();
    *out = arrow::RecordBatch::Make(schema_, micros->num_rows(), std::move(columns));
    return {};
  }

 private:
  const ReaderPtr micros_, nanos_;
  const std::shared_ptr<arrow::Schema> schema_;
  int64_t rows_ = 0;
};

}  // namespace

ReaderPtr CheckInt96(ReaderPtr microseconds, ReaderPtr nanoseconds,
                     std::shared_ptr<arrow::Schema> schema) {
  return std::make_shared<Int96Reader>(std::move(microseconds), std::move(nanoseconds),
                                       std::move(schema));
}

}  // namespace arrowalloy::run
