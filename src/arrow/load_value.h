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

// Load an offset, a run end or an index of 1, 2, 4 or 8 bytes as a signed number.
inline int64_t LoadSigned(const void* values, int64_t index, uint8_t bytes) {
  switch (bytes) {
    case 1:
      return LoadValue<int8_t>(values, index);
    case 2:
      return LoadValue<int16_t>(values, index);
    case 4:
      return LoadValue<int32_t>(values, index);
    default:
      return LoadValue<int64_t>(values, index);
  }
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_LOAD_VALUE_H_
