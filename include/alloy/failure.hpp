// SPDX-License-Identifier: MIT
//
// The exception with which a function of a backend fails. It never leaves the backend:
// the caller gets its code and its text.
//
// Threads  values.
#ifndef ALLOY_FAILURE_HPP_
#define ALLOY_FAILURE_HPP_

#include <exception>
#include <string>
#include <utility>

#include "alloy/backend.h"

namespace alloy {

// A code, which is what the caller can do next, and a text.
class Failure : public std::exception {
 public:
  Failure(alloy_code code, std::string text) : code_(code), text_(std::move(text)) {}
  explicit Failure(std::string text) : Failure(ALLOY_FAILED, std::move(text)) {}
  alloy_code code() const { return code_; }
  const char* what() const noexcept override { return text_.c_str(); }
  const std::string& text() const { return text_; }

 private:
  alloy_code code_;
  std::string text_;
};

}  // namespace alloy

#endif  // ALLOY_FAILURE_HPP_
