// SPDX-License-Identifier: MIT
//
// Libraries of the system that are used where they are there: found at run time by their
// SONAME, so that nothing of theirs is needed to build. They stay for the life of the
// process.
//
// Threads  shared.
#ifndef ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_
#define ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_

#include <string>

namespace alloy::core {

// By SONAME, or by absolute path. NULL when it cannot be loaded; `text` says why then, in
// the loader's words.
void* OpenSystemLibrary(const char* name, std::string* text);

// Whether it is this library that the loader would give to one that needs `soname`.
bool AnswersAs(void* library, const char* soname);

// NULL when the library has no such symbol.
void* FindInSystemLibrary(void* library, const char* symbol);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_
