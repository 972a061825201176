// SPDX-License-Identifier: MIT
//
// Where exceptions end. Every function that C can call runs inside Guard, and every entry
// into foreign code inside EnterForeign.
#ifndef ALLOY_SRC_BASE_GUARD_H_
#define ALLOY_SRC_BASE_GUARD_H_

#include <exception>
#include <new>
#include <string>

#include "base/status.h"

namespace alloy::core {

// Run `body`, which returns a Status, and copy that to err. An exception becomes EXHAUSTED
// or INTERNAL.
template <typename Body>
alloy_code Guard(alloy_error* err, Body&& body) noexcept {
  try {
    return body().CopyTo(err);
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
    // Making the text may throw as well; then there is only the code.
    try {
      std::string text = "an exception inside the engine; please report it";
      try {
        throw;
      } catch (const std::exception& e) {
        text += std::string(": ") + e.what();
      } catch (...) {
      }
      return Fail(ALLOY_INTERNAL, std::move(text)).CopyTo(err);
    } catch (...) {
      return ALLOY_INTERNAL;
    }
  }
}

// Run `body`, which enters foreign code. If that throws, which backend.h forbids, return
// false and describe the exception in `text`.
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
