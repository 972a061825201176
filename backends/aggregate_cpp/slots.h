// SPDX-License-Identifier: MIT
//
// A hash table that numbers different keys as they come.
//
// It holds no keys: a slot is 32 bits of the hash and a number, eight bytes, and the
// owner of the keys compares. So the keys lie in a row in the order in which they came,
// which is that of the results, growing needs neither keys nor hashes again, and a batch
// can have all its slots on the way from memory before the first is looked at. None of
// this can be had of std::unordered_map, whose nodes lie apart.
//
// Threads  serial.
#ifndef AGGREGATE_CPP_SLOTS_H_
#define AGGREGATE_CPP_SLOTS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"

namespace aggregate {

class Slots {
 public:
  // The number of the key of this hash of which `is_same(number)` says that it is the
  // one; else `next`, under which `add` has kept it.
  template <typename IsSame, typename Add>
  uint32_t FindOrAdd(uint32_t hash, size_t next, IsSame is_same, Add add) {
    if (2 * used_ >= slots_.size()) Grow();
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      Slot& slot = slots_[at];
      if (slot.number == kNone) {
        if (next >= kNone) throw alloy::Failure(ALLOY_EXHAUSTED, "over 2^32 groups");
        add();
        slot = {hash, static_cast<uint32_t>(next)};
        ++used_;
        return slot.number;
      }
      if (slot.hash == hash && is_same(slot.number)) return slot.number;
    }
  }

  void Prefetch(uint32_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  struct Slot {
    uint32_t hash = 0;
    uint32_t number = kNone;
  };

  void Grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.number == kNone) continue;
      size_t at = slot.hash & mask_;
      while (slots_[at].number != kNone) at = (at + 1) & mask_;
      slots_[at] = slot;
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(64);  // a power of two, half full at most
  size_t mask_ = 63;
  size_t used_ = 0;
};

}  // namespace aggregate

#endif  // AGGREGATE_CPP_SLOTS_H_
