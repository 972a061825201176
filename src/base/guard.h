// SPDX-License-Identifier: MIT
//
// Where exceptions end. Every function that C can call runs inside Guard, and every entry
// into foreign code inside EnterForeign.
//
// A forced unwind, of pthread_cancel and pthread_exit, is not an exception: a thread that
// is ended cannot go on. It passes through, and the objects on its way are destroyed. So
// neither function is noexcept.
#ifndef ALLOY_SRC_BASE_GUARD_H_
#define ALLOY_SRC_BASE_GUARD_H_

#include <cxxabi.h>

#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "base/status.h"

namespace alloy::core {

// While an exception is handled: EXHAUSTED if the system has no thread left; else ok.
inline Status ExhaustedByThrown() {
  try {
    throw;
  } catch (const std::system_error& e) {
    if (e.code() != std::errc::resource_unavailable_try_again) return Status();
    return Fail(ALLOY_EXHAUSTED,
                std::string("a thread cannot be started: ") + e.code().message() +
                    "; raise the limit of threads (ulimit -u, or pids.max of the "
                    "container)");
  } catch (...) {
    return Status();
  }
}

// Run `body`, which returns a Status, and copy that to err. An exception becomes EXHAUSTED,
// if it is about memory or threads, or INTERNAL.
template <typename Body>
alloy_code Guard(alloy_error* err, Body&& body) {
  try {
    return body().CopyTo(err);
  } catch (abi::__forced_unwind&) {
    throw;
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
      if (const Status exhausted = ExhaustedByThrown(); !exhausted.ok()) {
        return exhausted.CopyTo(err);
      }
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
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& e) {
    *text = std::string("an exception came out of it: ") + e.what();
  } catch (...) {
    *text = "an exception of an unknown type came out of it";
  }
  return false;
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_GUARD_H_
