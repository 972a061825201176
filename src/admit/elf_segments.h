// SPDX-License-Identifier: MIT
//
// The segments that glibc follows by their addresses after it has mapped a library: program
// headers, notes, thread-local storage, and what becomes read-only after relocation.
//
// Source: "System V Application Binary Interface", Program Loading; glibc's dl-load.c and
// dl-reloc.c.
#ifndef ALLOY_SRC_ADMIT_ELF_SEGMENTS_H_
#define ALLOY_SRC_ADMIT_ELF_SEGMENTS_H_

#include "admit/elf_reader.h"

namespace alloy::core {

// Check that none of them leads the loader, or an unwinder, outside of the library.
//   Fails  REFUSED with ELF_MALFORMED.
Status CheckSegmentsInRange(const ElfReader& elf);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ELF_SEGMENTS_H_
