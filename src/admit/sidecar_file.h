// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ADMIT_SIDECAR_FILE_H_
#define ALLOY_SRC_ADMIT_SIDECAR_FILE_H_

#include <string>

#include "base/result.h"

namespace alloy::core {

inline std::string SidecarPathOf(const std::string& library) {
  return library + ".alloysig";
}

// Read the signature file at `path`. `library` is for the command in the error text.
//   Fails  REFUSED with NO_SIDECAR (not there, not readable, not a regular file) or
//          SIDECAR_MALFORMED (more than 64 KiB).
Result<std::string> ReadSidecar(const std::string& path, const std::string& library);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_SIDECAR_FILE_H_
