// SPDX-License-Identifier: MIT
//
// Libraries of the system that are used if they are installed. They are found at run time
// by their SONAME, so the build does not need them. They stay for the life of the process.
//
// Threads  shared.
#ifndef ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_
#define ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_

#include <string>

#include "base/status.h"

namespace alloy::core {

// Ask this before any library is loaded: dlopen of a statically linked program crashes.
//   Fails  UNSUPPORTED, if the program is linked statically.
Status CheckHasLoader();

// By SONAME, or by absolute path. NULL if it cannot be loaded; `text` is then the loader's
// own error.
void* OpenSystemLibrary(const char* name, std::string* text);

// Whether the loader would use this library for `soname`.
bool AnswersAs(void* library, const char* soname);

// NULL when the library has no such symbol.
void* FindInSystemLibrary(void* library, const char* symbol);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_
