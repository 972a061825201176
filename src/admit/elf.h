// SPDX-License-Identifier: MIT
//
// Inspects a shared library before the system's loader sees it: what runs or misleads
// inside dlopen, or what the loader would die of, is refused here. It works only on bytes,
// so it can be fuzzed. Its time and memory are in proportion to the size of the file,
// however the tables overlap.
//
// Source: "System V Application Binary Interface", Object Files and Program Loading; the
// GNU hash section as glibc's loader reads it.
#ifndef ALLOY_SRC_ADMIT_ELF_H_
#define ALLOY_SRC_ADMIT_ELF_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace alloy::core {

// Names are the file's own: any bytes. Show them only by a function of base/text.h.
struct ElfFacts {
  std::vector<std::string> needed;   // in the order of the file, at most 64
  std::vector<std::string> exports;  // defined, global or weak or unique; the first 64
  uint64_t export_count = 0;
  bool has_go_runtime = false;
};

// All that is wrong with a library, so that people can repair it in one go.
struct ElfFindings {
  ElfFacts facts;              // as far as the file could be read
  std::vector<Status> faults;  // at most 32, in the order of the checks
};
// A fault is REFUSED with one of these reasons:
//   ELF_MALFORMED  not an ELF file for this machine, or it points outside of itself.
//   ELF_REFUSED    well-formed, but dangerous.
//   EXPORTS        it does not export exactly the function alloy_backend_init.
ElfFindings InspectElf(std::span<const std::byte> image);

// The facts of a library that may be loaded.
//   Fails  with the first fault that InspectElf finds.
Result<ElfFacts> CheckElf(std::span<const std::byte> image);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ELF_H_
