// SPDX-License-Identifier: MIT
//
// The tables of symbol versions, which glibc follows without looking at their sizes.
//
// Source: "Linux Standard Base Core Specification", Symbol Versioning; glibc's
// dl-version.c.
#ifndef ALLOY_SRC_ADMIT_ELF_VERSIONS_H_
#define ALLOY_SRC_ADMIT_ELF_VERSIONS_H_

#include "admit/elf_reader.h"

namespace alloy::core {

// Check that the tables lie inside the library, that each needed version is of a library
// that is needed, and that each symbol has a version that exists.
//   Fails  REFUSED with ELF_MALFORMED.
Status CheckVersions(const ElfReader& elf);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ELF_VERSIONS_H_
