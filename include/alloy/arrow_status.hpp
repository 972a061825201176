// SPDX-License-Identifier: MIT
//
// Errors of Alloy as a Status of Apache Arrow C++.
//
// Threads  values.
#ifndef ALLOY_ARROW_STATUS_HPP_
#define ALLOY_ARROW_STATUS_HPP_

#include <arrow/status.h>

#include <memory>
#include <string>
#include <utility>

#include "alloy/status.hpp"

namespace alloy::arrow {

// The detail of an Arrow Status that came from Alloy: the whole error.
class Detail final : public ::arrow::StatusDetail {
 public:
  explicit Detail(Status status) : status_(std::move(status)) {}
  const char* type_id() const override { return "alloy::Status"; }
  std::string ToString() const override { return status_.ToString(); }
  const Status& status() const { return status_; }

 private:
  Status status_;
};

// The same error as an Arrow Status, with a Detail.
inline ::arrow::Status ToArrow(const Status& status) {
  if (status.ok()) return ::arrow::Status::OK();
  const auto code = [&] {
    switch (status.code()) {
      case ALLOY_INVALID:
      case ALLOY_BAD_DATA:
      case ALLOY_NO_MATCH:
        return ::arrow::StatusCode::Invalid;
      case ALLOY_NOT_FOUND:
        return ::arrow::StatusCode::KeyError;
      case ALLOY_EXHAUSTED:
        return ::arrow::StatusCode::OutOfMemory;
      case ALLOY_CANCELLED:
        return ::arrow::StatusCode::Cancelled;
      case ALLOY_UNSUPPORTED:
        return ::arrow::StatusCode::NotImplemented;
      case ALLOY_INTERNAL:
        return ::arrow::StatusCode::UnknownError;
      default:
        return ::arrow::StatusCode::IOError;
    }
  }();
  return {code, std::string(status.text()), std::make_shared<Detail>(status)};
}

}  // namespace alloy::arrow

#endif  // ALLOY_ARROW_STATUS_HPP_
