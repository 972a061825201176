// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_GATE_LEVEL_H_
#define ALLOY_SRC_GATE_LEVEL_H_

#include <cstdint>

namespace alloy::core {

// How far the gate looks; each level asks all that the one before it asks. The numbers
// are those of alloy_bridge_options.
enum class Level : uint8_t {
  kShape = 1,  // nothing is dereferenced that was not checked: O(columns)
  kSafe = 2,   // nothing that the rows lead to leaves its buffer
  kFull = 3,   // nor what no row leads to; null counts, UTF-8, prefixes of views
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_LEVEL_H_
