// SPDX-License-Identifier: MIT
#include "engine/open/link_library.h"

#include "admit/admit.h"
#include "port/replace_file.h"

namespace alloy::core {

Status LinkLibrary(const std::string& archive, const std::string& output) {
  if (archive.empty()) return Fail(ALLOY_INVALID, "the path of the archive is empty");
  if (output.empty()) return Fail(ALLOY_INVALID, "the path of the output is empty");
  ALLOY_ASSIGN_OR_RETURN(const auto library, LinkLibraryFrom(archive));
  if (const int error = ReplaceFile(output, Bytes(*library), true); error != 0) {
    return Fail(ALLOY_INVALID, output + ": cannot be written: " + ErrorText(error));
  }
  return Status();
}

}  // namespace alloy::core
