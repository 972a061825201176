// SPDX-License-Identifier: MIT
//
// Arrow's errors as the program's own.
#ifndef ARROWALLOY_RUN_ARROW_ERROR_H_
#define ARROWALLOY_RUN_ARROW_ERROR_H_

#include <arrow/result.h>
#include <arrow/status.h>

#include <string>
#include <utility>

#include "../arrowalloy/failure.h"

namespace arrowalloy::run {

inline Failure ReadFailure(const arrow::Status& status, const std::string& path) {
  return Failure(
      Exit::kMachine, kReadCode, status.message(), path,
      "see that the file is there, whole, and of the format that --format says");
}

inline Failure WriteFailure(const arrow::Status& status, const std::string& path) {
  return Failure(Exit::kMachine, kWriteCode, status.message(), path,
                 "see that the folder is there and has room, or name another with -o");
}

// The value of a result about a file that is read.
template <typename T>
T Read(arrow::Result<T> result, const std::string& path) {
  if (!result.ok()) throw ReadFailure(result.status(), path);
  return std::move(result).ValueUnsafe();
}

// The same of one that is written.
template <typename T>
T Write(arrow::Result<T> result, const std::string& path) {
  if (!result.ok()) throw WriteFailure(result.status(), path);
  return std::move(result).ValueUnsafe();
}

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_ARROW_ERROR_H_
