// SPDX-License-Identifier: MIT
//
// A value, or the Status that explains why there is none.
#ifndef ALLOY_SRC_BASE_RESULT_H_
#define ALLOY_SRC_BASE_RESULT_H_

#include <utility>
#include <variant>

#include "base/status.h"

namespace alloy::core {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}         // NOLINT
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  Status status() const { return ok() ? Status() : std::get<1>(state_); }

  // Only when ok().
  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace alloy::core

#define ALLOY_CONCAT_(a, b) a##b
#define ALLOY_CONCAT(a, b) ALLOY_CONCAT_(a, b)
#define ALLOY_ASSIGN_OR_RETURN_(result, target, expression) \
  auto result = (expression);                               \
  if (!result.ok()) [[unlikely]]                            \
    return result.status();                                 \
  target = *std::move(result)

// Assign the value to `target` (a declaration or a place), or return early with the
// status.
#define ALLOY_ASSIGN_OR_RETURN(target, expression) \
  ALLOY_ASSIGN_OR_RETURN_(ALLOY_CONCAT(alloy_result_, __LINE__), target, expression)

#endif  // ALLOY_SRC_BASE_RESULT_H_
