// SPDX-License-Identifier: MIT
//
// Errors of Arrow C++ as Failures.
#ifndef ARROWALLOY_RUN_ARROW_ERROR_H_
#define ARROWALLOY_RUN_ARROW_ERROR_H_

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/util/io_util.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "../arrowalloy/base/failure.h"
#include "../arrowalloy/base/os_error.h"

namespace arrowalloy::run {

// The message of a status, with the reason of the operating system when there is one.
inline std::string TextOf(const arrow::Status& status) {
  const int error = arrow::internal::ErrnoFromStatus(status);
  if (error == 0) return status.message();
  return status.message() + ": " + std::generic_category().message(error);
}

// What to do about an input that was opened but cannot be read.
inline std::string BrokenHelp(const arrow::Status& status) {
  if (status.IsOutOfMemory()) {
    return "free memory, or read fewer columns with --columns, or smaller batches with "
           "--batch-rows";
  }
  if (arrow::internal::ErrnoFromStatus(status) != 0) {
    return "check the disk or the connection that the input comes from";
  }
  return "the input is damaged or not complete: get it again, or write it again";
}

// Attached to the Status of an input: it passes through the engine and comes back unchanged.
class InputDetail final : public arrow::StatusDetail {
 public:
  InputDetail(std::string path, std::string help)
      : path_(std::move(path)), help_(std::move(help)) {}
  const char* type_id() const override { return "arrowalloy::Input"; }
  std::string ToString() const override { return path_; }

  Failure FailureOf(const arrow::Status& status) const {
    return Failure(Exit::kMachine, kReadCode, status.message(), path_, help_);
  }

 private:
  std::string path_, help_;
};

// The same error with the place and the next step. One that has them keeps its own.
inline arrow::Status OfInput(const arrow::Status& status, std::string path,
                             std::string help) {
  if (status.ok() || dynamic_cast<const InputDetail*>(status.detail().get()) != nullptr) {
    return status;
  }
  return status.WithMessage(TextOf(status))
      .WithDetail(std::make_shared<InputDetail>(std::move(path), std::move(help)));
}

inline Failure BrokenFile(const arrow::Status& status, const std::string& path) {
  const auto* of = dynamic_cast<const InputDetail*>(status.detail().get());
  if (of != nullptr) return of->FailureOf(status);
  return Failure(Exit::kMachine, kReadCode, TextOf(status), path, BrokenHelp(status));
}

// An error of the machine keeps its errno and its help.
inline Failure WriteFailure(const arrow::Status& status, const std::string& path) {
  const int error = arrow::internal::ErrnoFromStatus(status);
  if (error != 0) return CannotWrite(path, error);
  if (status.IsOutOfMemory()) return CannotWrite(path, ENOMEM);
  return Failure(Exit::kMachine, kFormatCode,
                 "the result cannot be written: " + TextOf(status), OutputName(path),
                 "choose another format with --out-format");
}

// The value of a result, or a failure to read `path`.
template <typename T>
T Read(arrow::Result<T> result, const std::string& path) {
  if (!result.ok()) throw BrokenFile(result.status(), path);
  return std::move(result).ValueUnsafe();
}

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_ARROW_ERROR_H_
