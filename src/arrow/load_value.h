// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ARROW_LOAD_VALUE_H_
#define ALLOY_SRC_ARROW_LOAD_VALUE_H_

#include <cstdint>
#include <cstring>

namespace alloy::core {

// Value `index` of a buffer of any alignment. Arrow only recommends an alignment, so the
// engine never relies on it.
template <typename T>
T LoadValue(const void* base, int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const char*>(base) + index * int64_t{sizeof(T)},
              sizeof(T));
  return value;
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_LOAD_VALUE_H_
