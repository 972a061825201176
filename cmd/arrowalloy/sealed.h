// SPDX-License-Identifier: MIT
//
// Sealed libraries of a running process: gdb cannot find their files by itself, since
// they were loaded from memory.
#ifndef ARROWALLOY_SEALED_H_
#define ARROWALLOY_SEALED_H_

#include <cstdint>
#include <string>
#include <vector>

namespace arrowalloy {

struct SealedLibrary {
  std::string name;   // of the memory, such as memfd:libscore.so
  std::string file;   // /proc/PID/fd/N, which gdb can read
  uint64_t base = 0;  // where it is loaded
};

// By the mappings of the process.
//   Throws  E0101 where there is no such process, or it may not be looked at.
std::vector<SealedLibrary> FindSealedLibraries(int64_t pid);

}  // namespace arrowalloy

#endif  // ARROWALLOY_SEALED_H_
