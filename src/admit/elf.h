// SPDX-License-Identifier: MIT
//
// A look at a shared library before the system's loader sees it: what runs or misleads
// inside dlopen is refused here. Works on bytes alone, so that it can be fuzzed.
//
// Source: "System V Application Binary Interface", Object Files and Program Loading; the
// GNU hash section as glibc's loader reads it.
#ifndef ALLOY_SRC_ADMIT_ELF_H_
#define ALLOY_SRC_ADMIT_ELF_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace alloy::core {

struct ElfFacts {
  std::vector<std::string> needed;   // in the order of the file
  std::vector<std::string> exports;  // defined, global or weak or unique
};

// The facts of a library that may be loaded.
//   Fails  REFUSED with ELF_MALFORMED (not an ELF file for this platform, or it points
//          outside itself), ELF_REFUSED (well-formed, but dangerous) or EXPORTS (not
//          exactly one export, the function alloy_backend_init).
Result<ElfFacts> LookThroughElf(std::span<const std::byte> image);

// The same look, that goes on after a fault: for people, who mend all of them at once.
struct ElfFindings {
  ElfFacts facts;              // as far as the file could be read
  std::vector<Status> faults;  // at most 32, in the order of the look; empty: none
};
ElfFindings FindAllInElf(std::span<const std::byte> image);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ELF_H_
