// SPDX-License-Identifier: MIT
#include "engine/channel/scope.h"

#include <utility>

namespace alloy::core {

void Scope::SetError(alloy_code code, std::string text) {
  auto error = std::make_unique<BackendError>(BackendError{code, std::move(text)});
  const std::unique_ptr<BackendError> old(
      error_.exchange(error.release(), std::memory_order_acq_rel));
}

void Scope::SetFailure(Status failure) {
  auto kept = std::make_unique<Status>(std::move(failure));
  const std::unique_ptr<Status> old(
      failure_.exchange(kept.release(), std::memory_order_acq_rel));
}

Status Scope::TakeFailure() {
  if (failure_.load(std::memory_order_relaxed) == nullptr) return Status();
  const std::unique_ptr<Status> failure(
      failure_.exchange(nullptr, std::memory_order_acq_rel));
  return failure != nullptr ? std::move(*failure) : Status();
}

BackendError Scope::TakeError() {
  if (error_.load(std::memory_order_relaxed) == nullptr) return {};
  const std::unique_ptr<BackendError> error(
      error_.exchange(nullptr, std::memory_order_acq_rel));
  return error != nullptr ? std::move(*error) : BackendError{};
}

}  // namespace alloy::core
