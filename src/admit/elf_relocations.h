// SPDX-License-Identifier: MIT
//
// What glibc writes into a library, and what it calls in it, while it loads it: relocations,
// and the functions that run before dlopen returns.
//
// Source: "System V Application Binary Interface", Relocation, and its supplements for
// x86-64 and AArch64; glibc's get-dynamic-info.h and do-rel.h.
#ifndef ALLOY_SRC_ADMIT_ELF_RELOCATIONS_H_
#define ALLOY_SRC_ADMIT_ELF_RELOCATIONS_H_

#include "admit/elf_reader.h"

namespace alloy::core {

// Check that each relocation writes to a writable segment of the library and names one of
// its symbols, and that constructors, destructors and resolvers lie in its code. The time
// is in proportion to the number of relocations.
//   Fails  REFUSED with ELF_MALFORMED.
Status CheckRelocations(const ElfReader& elf);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ELF_RELOCATIONS_H_
