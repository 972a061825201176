// SPDX-License-Identifier: MIT
//
// Where this program and the engine lie on the disk.
#ifndef ALLOY_SRC_PORT_OWN_PROGRAM_H_
#define ALLOY_SRC_PORT_OWN_PROGRAM_H_

#include <string>

namespace alloy::core {

// A path that always leads to the program of the process that uses it.
inline constexpr const char* kOwnProgram = "/proc/self/exe";

// The file that holds the engine: a shared library, or a program. Empty if the loader does
// not know it.
std::string FileOfEngine();

// The worker program that is installed with the engine in this folder, which ends in '/'.
// Empty if it is not there.
std::string WorkerIn(const std::string& folder);

// Whether an open descriptor is memory that can be sealed.
bool IsSealable(int fd);

// Without the destructors of libraries, which may wait for anything.
[[noreturn]] void EndProcess(int status);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_OWN_PROGRAM_H_
