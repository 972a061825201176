// SPDX-License-Identifier: MIT
//
// From a file to sealed memory that was looked through: the only way into the loader.
//
// The file is read once. What is checked, and later executed, is the sealed copy, so
// nothing that happens to the file afterwards matters.
#ifndef ALLOY_SRC_ADMIT_ADMIT_H_
#define ALLOY_SRC_ADMIT_ADMIT_H_

#include <string>

#include "admit/elf.h"
#include "base/result.h"
#include "port/fd.h"

namespace alloy::core {

struct AdmittedLibrary {
  std::string path;  // as the host named it, for texts
  Fd sealed;
  Mapping bytes;  // of the sealed copy
  ElfFacts facts;
  bool was_archive = false;  // `sealed` is then what was linked of it
};

// Read, seal and look through a shared library of 64 bytes to 1 GiB, or a static archive,
// which is linked into one on the spot.
//   Fails  REFUSED; the reason is one of 3001 to 3009, ARCHIVE_MALFORMED or LINK_FAILED,
//          and the text names the file.
Result<AdmittedLibrary> AdmitLibrary(const std::string& path);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ADMIT_H_
