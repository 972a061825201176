// SPDX-License-Identifier: MIT
//
// How a backend's function tells the engine of a failure.
#ifndef ALLOY_DETAIL_SAY_HPP_
#define ALLOY_DETAIL_SAY_HPP_

#include <cstdint>
#include <exception>
#include <new>
#include <string_view>

#include "alloy/backend.h"
#include "alloy/detail/columns.hpp"

namespace alloy::detail {

inline alloy_code Say(alloy_scope* scope, alloy_code code, std::string_view text) {
  return scope->services->fail(scope, code, text.data(),
                               static_cast<int64_t>(text.size()));
}

// Turn what is being thrown into the caller's error; for use in catch (...).
inline alloy_code SayException(alloy_scope* scope) noexcept {
  try {
    throw;
  } catch (const Failure& failure) {
    // An error that called itself none is still one.
    const alloy_code code = failure.code() == ALLOY_OK ? ALLOY_INTERNAL : failure.code();
    return Say(scope, code, failure.text());
  } catch (const std::bad_alloc&) {
    return Say(scope, ALLOY_EXHAUSTED, "out of memory");
  } catch (const std::exception& error) {
    return Say(scope, ALLOY_FAILED, error.what());
  } catch (...) {
    return Say(scope, ALLOY_FAILED, "an exception that is no std::exception");
  }
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_SAY_HPP_
