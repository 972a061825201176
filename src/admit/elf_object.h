// SPDX-License-Identifier: MIT
//
// A relocatable ELF object, as far as it decides whether a linker may have it.
#ifndef ALLOY_SRC_ADMIT_ELF_OBJECT_H_
#define ALLOY_SRC_ADMIT_ELF_OBJECT_H_

#include <cstddef>
#include <span>

#include "base/result.h"

namespace alloy::core {

// Whether these bytes are a relocatable object of this machine that holds machine code
// and no compiler's intermediate code in its place or in addition.
//   Fails  REFUSED with ARCHIVE_MALFORMED.
Status CheckObject(std::span<const std::byte> image);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ELF_OBJECT_H_
