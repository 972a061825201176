// SPDX-License-Identifier: MIT
//
// The sealed libraries of a running process. gdb cannot find their files, because they were
// loaded from memory.
#ifndef ARROWALLOY_INSPECT_SEALED_H_
#define ARROWALLOY_INSPECT_SEALED_H_

#include <cstdint>
#include <string>
#include <vector>

namespace arrowalloy {

struct SealedLibrary {
  std::string name;   // name of the memory, such as memfd:libscore.so
  std::string file;   // /proc/PID/fd/N, which gdb can read
  uint64_t base = 0;  // the address of its first byte
};

// Find them in the memory mappings of the process.
//   Throws  E0101 when there is no such process, or its mappings cannot be read.
std::vector<SealedLibrary> FindSealedLibraries(int64_t pid);

}  // namespace arrowalloy

#endif  // ARROWALLOY_INSPECT_SEALED_H_
