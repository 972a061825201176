// SPDX-License-Identifier: MIT
//
// Errors of the operating system as Failures: the file, the text of errno, and help that
// fits the cause. Both programs report every file through it.
#ifndef ARROWALLOY_BASE_OS_ERROR_H_
#define ARROWALLOY_BASE_OS_ERROR_H_

#include <string>

#include "failure.h"

namespace arrowalloy {

// "No space left on device".
std::string ErrorText(int error);

// "cannot read in.csv: Permission denied".
Failure CannotRead(const std::string& path, int error);

// "cannot write out.csv: No space left on device"; `path` may be "-", standard output.
Failure CannotWrite(const std::string& path, int error);

// The path in words: "-" is standard input, or standard output.
std::string InputName(const std::string& path);
std::string OutputName(const std::string& path);

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_OS_ERROR_H_
