// SPDX-License-Identifier: MIT
//
// Different keys of a fixed number of words, numbered as they come.
//
// Threads  serial.
#ifndef AGGREGATE_CPP_KEY_TABLE_H_
#define AGGREGATE_CPP_KEY_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "slots.h"

namespace aggregate {

class KeyTable {
 public:
  KeyTable(size_t words, uint64_t seed) : words_(words), seed_(seed) {}

  // Put the number of each of the keys, which lie in a row, into `numbers`. A key of
  // which `has_value` is 0 is null, whatever its words; NULL: none is.
  void Number(const uint64_t* keys, const uint8_t* has_value,
              std::span<uint32_t> numbers);

  size_t size() const { return size_; }
  const uint64_t* operator[](size_t number) const {
    return keys_.data() + number * words_;
  }
  bool IsNull(size_t number) const { return number == null_; }

 private:
  template <size_t fixed>
  void NumberOf(const uint64_t* keys, const uint8_t* has_value,
                std::span<uint32_t> numbers);
  void Keep(const uint64_t* key);
  uint32_t NumberOfNull();

  size_t words_;
  uint64_t seed_;
  Slots slots_;
  std::vector<uint64_t> keys_;
  size_t size_ = 0;
  std::optional<size_t> null_;
};

}  // namespace aggregate

#endif  // AGGREGATE_CPP_KEY_TABLE_H_
