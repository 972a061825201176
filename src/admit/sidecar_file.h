// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ADMIT_SIDECAR_FILE_H_
#define ALLOY_SRC_ADMIT_SIDECAR_FILE_H_

#include <string>

#include "base/result.h"

namespace alloy::core {

inline std::string SidecarBeside(const std::string& library) {
  return library + ".alloysig";
}

// The bytes of the signature file of a library. Texts name `path`.
//   Fails  REFUSED with NO_SIDECAR (not there, not readable, not a regular file) or
//          SIDECAR_MALFORMED (larger than any is).
Result<std::string> ReadSidecar(const std::string& path, const std::string& library);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_SIDECAR_FILE_H_
