// SPDX-License-Identifier: MIT
//
// Checks a static archive before a linker sees it: every member must be an object file for
// this machine, inside the archive. It works only on bytes, so it can be fuzzed.
//
// Source: "System V Application Binary Interface", Archive File; the GNU names of ar(5):
// `/` is a table of symbols, `//` one of long names, `/123` a name in it.
#ifndef ALLOY_SRC_ADMIT_ARCHIVE_H_
#define ALLOY_SRC_ADMIT_ARCHIVE_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"

namespace alloy::core {

struct ArchiveFacts {
  size_t objects = 0;
};

// Whether these bytes are an archive, a thin one included: by their first eight.
bool IsArchive(std::span<const std::byte> image);

// Whether a file would go to the linker: an archive, or a file that is named like one and
// is not an ELF file. A linker takes a text of that name for its script.
bool IsForTheLinker(std::span<const std::byte> image, std::string_view path);

// Check that an archive may be linked. Member names are only printed, never followed.
//   Fails  REFUSED with ARCHIVE_MALFORMED: a thin archive, one that is cut short or whose
//          sizes lie, no object in it, or anything but relocatable objects of this
//          machine (a compiler's intermediate code, nested archives, texts).
Result<ArchiveFacts> WalkArchive(std::span<const std::byte> image);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ARCHIVE_H_
