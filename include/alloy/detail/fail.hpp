// SPDX-License-Identifier: MIT
//
// How a function of a backend reports a failure to the engine.
#ifndef ALLOY_DETAIL_FAIL_HPP_
#define ALLOY_DETAIL_FAIL_HPP_

#include <cstdint>
#include <exception>
#include <new>
#include <string_view>

#include "alloy/backend.h"
#include "alloy/failure.hpp"

namespace alloy::detail {

inline alloy_code Report(alloy_scope* scope, alloy_code code, std::string_view text) {
  return scope->services->fail(scope, code, text.data(),
                               static_cast<int64_t>(text.size()));
}

// Report the exception that is being handled. Call it inside catch (...).
inline alloy_code ReportException(alloy_scope* scope) noexcept {
  try {
    throw;
  } catch (const Failure& failure) {
    // A Failure constructed with ALLOY_OK is still an error.
    const alloy_code code = failure.code() == ALLOY_OK ? ALLOY_INTERNAL : failure.code();
    return Report(scope, code, failure.text());
  } catch (const std::bad_alloc&) {
    return Report(scope, ALLOY_EXHAUSTED, "out of memory");
  } catch (const std::exception& error) {
    return Report(scope, ALLOY_FAILED, error.what());
  } catch (...) {
    return Report(scope, ALLOY_FAILED, "an exception that is no std::exception");
  }
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_FAIL_HPP_
