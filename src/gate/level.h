// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_GATE_LEVEL_H_
#define ALLOY_SRC_GATE_LEVEL_H_

#include <cstdint>

namespace alloy::core {

// How much the gate checks. Each level includes the level before it. The first three are
// those of alloy_bridge_options.
enum class Level : uint8_t {
  kShape = 1,  // structs, pointers and lengths: O(columns)
  kSafe = 2,   // also all values that point elsewhere, in the rows that a reader reaches
  kFull = 3,   // also the rows that no reader reaches, UTF-8, and null counts
  // Also what libraries rely on although Arrow leaves it open. It is repaired, not
  // refused, because the data is valid.
  kTrusted = 4,
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_LEVEL_H_
