// SPDX-License-Identifier: MIT
//
// The names of codes and reasons, for texts and for bindings.
#ifndef ALLOY_SRC_BASE_NAMES_H_
#define ALLOY_SRC_BASE_NAMES_H_

#include <cstdint>

namespace alloy::core {

// "BAD_DATA", "OFFSETS"; "UNKNOWN" for numbers that are not listed.
const char* CodeName(int32_t code);
const char* ReasonName(int32_t reason);

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_NAMES_H_
