// SPDX-License-Identifier: MIT
//
// The single place where a C++ failure becomes a code: everything that C can call runs
// inside Guard, which catches whatever is thrown.
#ifndef ALLOY_SRC_BASE_GUARD_H_
#define ALLOY_SRC_BASE_GUARD_H_

#include <exception>
#include <new>
#include <string>

#include "base/status.h"

namespace alloy::core {

// Run `body`, which returns a Status, and tell its outcome.
template <typename Body>
alloy_code Guard(alloy_error* err, Body&& body) noexcept {
  try {
    return body().Tell(err);
  } catch (const std::bad_alloc&) {
    if (err != nullptr) {
      *err = alloy_error{.code = ALLOY_EXHAUSTED,
                         .reason = 0,
                         .input = -1,
                         .column = -1,
                         .side = ALLOY_SIDE_ENGINE,
                         .length = 13,
                         .text = "out of memory"};
    }
    return ALLOY_EXHAUSTED;
  } catch (...) {
    // Making the text may itself throw; what is left then is the code alone.
    try {
      std::string text = "an exception inside the engine; please report it";
      try {
        throw;
      } catch (const std::exception& e) {
        text += std::string(": ") + e.what();
      } catch (...) {
      }
      return Fail(ALLOY_INTERNAL, std::move(text)).Tell(err);
    } catch (...) {
      return ALLOY_INTERNAL;
    }
  }
}

// Run `body`, which enters foreign code. What it throws against the contract of backend.h
// is caught here; false then, and `text` says what it was.
template <typename Body>
bool EnterForeign(std::string* text, Body&& body) {
  try {
    body();
    return true;
  } catch (const std::exception& e) {
    *text = std::string("an exception came out of it: ") + e.what();
  } catch (...) {
    *text = "an exception of an unknown type came out of it";
  }
  return false;
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_GUARD_H_
