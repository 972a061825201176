// SPDX-License-Identifier: MIT
#include "engine/open/link_library.h"

#include "admit/admit.h"
#include "port/replace_file.h"

namespace alloy::core {

Status LinkLibrary(const std::string& archive, const std::string& output) {
  if (archive.empty()) return Fail(ALLOY_INVALID, "the archive is not named");
  if (output.empty()) return Fail(ALLOY_INVALID, "the output is not named");
  ALLOY_ASSIGN_OR_RETURN(const AdmittedLibrary library, AdmitLibrary(archive));
  if (!library.was_archive) {
    return Fail(ALLOY_INVALID,
                archive + ": is a shared library already; nothing is to be linked");
  }
  if (const int error = ReplaceFile(output, Bytes(library.bytes), true); error != 0) {
    return Fail(ALLOY_INVALID, output + ": cannot be written: " + ErrorText(error));
  }
  return Status();
}

}  // namespace alloy::core
