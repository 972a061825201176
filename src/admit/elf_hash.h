// SPDX-License-Identifier: MIT
//
// The two hash tables by which the loader finds symbols. A table that is let through
// cannot make it read outside of the library, abort, or search for ever.
//
// Source: "System V Application Binary Interface", Hash Table; the GNU hash section as
// glibc's loader reads it.
#ifndef ALLOY_SRC_ADMIT_ELF_HASH_H_
#define ALLOY_SRC_ADMIT_ELF_HASH_H_

#include <cstdint>

#include "admit/elf_reader.h"

namespace alloy::core {

// Check the table at this address. Gives the number of symbols that it knows. The time is
// in proportion to the size of the table.
//   Fails  REFUSED with ELF_MALFORMED.
Result<uint64_t> CheckHash(const ElfReader& elf, uint64_t address);
Result<uint64_t> CheckGnuHash(const ElfReader& elf, uint64_t address);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ELF_HASH_H_
