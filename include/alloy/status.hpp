// SPDX-License-Identifier: MIT
//
// The outcome of a call into the engine, for C++ hosts: Status, which is ok or an error,
// and Result<T>, which is a value or an error.
//
// Nothing in alloy.hpp throws for what the engine or a backend does. Test ok() first, and
// use the value of a Result only if it is.
//
// Threads  values; copies share a constant.
#ifndef ALLOY_STATUS_HPP_
#define ALLOY_STATUS_HPP_

#include <cstdint>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "alloy/alloy.h"
#include "alloy/detail/utf8.hpp"

namespace alloy {

class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  explicit Status(const alloy_error& error)
      : error_(std::make_shared<const alloy_error>(error)) {}
  // An error that is not about one input. The text is cut to the size of alloy_error.
  static Status Of(alloy_code code, std::string_view text, uint16_t side) {
    alloy_error error{};
    error.code = code;
    error.input = -1;
    error.column = -1;
    error.side = side;
    text = detail::CutText(text, sizeof(error.text) - 1);
    error.length = static_cast<uint16_t>(text.size());
    std::memcpy(error.text, text.data(), text.size());
    return Status(error);
  }
  // ALLOY_INVALID, with the caller as its side.
  static Status Invalid(std::string_view text) {
    return Of(ALLOY_INVALID, text, ALLOY_SIDE_CALLER);
  }

  bool ok() const { return error_ == nullptr; }
  alloy_code code() const { return ok() ? ALLOY_OK : error_->code; }
  int32_t reason() const { return ok() ? int32_t{ALLOY_REASON_NONE} : error_->reason; }
  int32_t input() const { return ok() ? -1 : error_->input; }
  int32_t column() const { return ok() ? -1 : error_->column; }
  int32_t side() const { return ok() ? int32_t{ALLOY_SIDE_ENGINE} : error_->side; }
  std::string_view text() const {
    return ok() ? std::string_view() : std::string_view(error_->text, error_->length);
  }

  // `BAD_DATA (OFFSETS): the text`, or `OK`.
  std::string ToString() const {
    if (ok()) return "OK";
    std::string line = alloy_code_name(code());
    if (reason() != ALLOY_REASON_NONE) {
      line.append(" (").append(alloy_reason_name(reason())).append(")");
    }
    return line.append(": ").append(text());
  }
  friend std::ostream& operator<<(std::ostream& out, const Status& status) {
    return out << status.ToString();
  }

 private:
  std::shared_ptr<const alloy_error> error_;  // NULL: ok
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}         // NOLINT
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  Status status() const { return ok() ? Status() : *std::get_if<1>(&state_); }

  // Only if ok().
  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace alloy

#endif  // ALLOY_STATUS_HPP_
