// SPDX-License-Identifier: MIT
//
// From an alloy_error to the exceptions of alloy._errors.
#ifndef ALLOY_PYTHON_SRC_ERRORS_H_
#define ALLOY_PYTHON_SRC_ERRORS_H_

#include <string>

#include "alloy/alloy.h"
#include "python.h"
#include "state.h"

namespace alloy::python {

// Raise the exception for an error of the engine. A pending signal, such as Ctrl-C, comes
// first. `idempotent`: the function may run again after a worker died in it.
[[noreturn]] void RaiseError(State& state, const alloy_error& error,
                             bool idempotent = false);

// Raise an error that the binding found, as the engine would.
[[noreturn]] void RaiseError(State& state, alloy_code code, const std::string& text,
                             int32_t input = -1, int32_t reason = ALLOY_REASON_NONE);

// `[ALLOY BAD_DATA/OFFSETS backend input=0 column=3] text`, as str() of the exception, for
// those who pass on nothing but text.
std::string ErrorText(const alloy_error& error);

// Fill an error that the binding found; returns its code.
alloy_code FillError(alloy_error* error, alloy_code code, const std::string& text,
                     int32_t input = -1);

inline void CheckCode(State& state, alloy_code code, const alloy_error& error,
                      bool idempotent = false) {
  if (code != ALLOY_OK) RaiseError(state, error, idempotent);
}

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_ERRORS_H_
