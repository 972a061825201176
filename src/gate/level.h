// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_GATE_LEVEL_H_
#define ALLOY_SRC_GATE_LEVEL_H_

#include <cstdint>

namespace alloy::core {

// How much the gate checks. Each level includes the level before it. The numbers are
// those of alloy_bridge_options.
enum class Level : uint8_t {
  kShape = 1,  // structs, pointers and lengths: O(columns)
  kSafe = 2,   // also all values that point elsewhere, in the rows that a reader reaches,
               // and the nulls of columns that are declared not nullable
  kFull = 3,   // also the rows that no reader reaches, UTF-8, null counts, and the nulls
               // of map entries and keys
};

// What the gate does with one batch.
struct Checks {
  Level level = Level::kShape;
  // The reader trusts all values (ALLOY_TRUSTS_VALUES). Whatever the level is, the values
  // are checked as at level full. What such a reader needs although Arrow leaves it open
  // is repaired (mend.h).
  bool trusted = false;

  // NOLINTNEXTLINE(google-explicit-constructor,misc-explicit-constructor): a level is the usual case.
  constexpr Checks(Level of, bool is_trusted = false) : level(of), trusted(is_trusted) {}

  constexpr bool full() const { return trusted || level == Level::kFull; }
  constexpr bool rows() const { return trusted || level != Level::kShape; }
  friend bool operator==(const Checks&, const Checks&) = default;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_LEVEL_H_
