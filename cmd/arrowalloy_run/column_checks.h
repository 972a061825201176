// SPDX-License-Identifier: MIT
//
// Values that Arrow's writers would change without an error. Each check returns an error
// that names the first such value and its row in the batch.
#ifndef ARROWALLOY_RUN_COLUMN_CHECKS_H_
#define ARROWALLOY_RUN_COLUMN_CHECKS_H_

#include <arrow/array/array_base.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

namespace arrowalloy::run {

// Dates and times that CSV can hold.
arrow::Status CheckCalendar(const arrow::Array& column);

// Each date64, inside of lists and structs too, is a whole day.
arrow::Status CheckDates(const arrow::Array& column);

// Whether CheckDates has anything to look at.
bool HoldsDate64(const arrow::DataType& type);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_COLUMN_CHECKS_H_
