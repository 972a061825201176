// SPDX-License-Identifier: MIT
#include "engine/channel/scope.h"

#include <utility>

namespace alloy::core {

void Scope::SetError(alloy_code code, std::string text) {
  const std::lock_guard lock(mutex_);
  error_ = {code, std::move(text)};
}

BackendError Scope::TakeError() {
  const std::lock_guard lock(mutex_);
  return std::exchange(error_, {});
}

}  // namespace alloy::core
