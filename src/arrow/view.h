// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ARROW_VIEW_H_
#define ALLOY_SRC_ARROW_VIEW_H_

#include <cstdint>

#include "alloy/arrow_abi.h"
#include "arrow/load_value.h"

namespace alloy::core {

inline constexpr int64_t kViewBytes = 16;
inline constexpr int32_t kMostInline =
    12;  // the bytes of a text that a view itself holds

// A view as it lies in memory. The last three fields are the bytes of a short text.
struct View {
  int32_t length;
  int32_t prefix;
  int32_t buffer;  // which of the variadic buffers
  int32_t offset;

  bool IsLong() const { return length > kMostInline; }
  // Whether a long one lies in its buffer.
  bool IsIn(const ArrowArray& array) const {
    return buffer >= 0 && buffer < array.n_buffers - 3 && offset >= 0 &&
           int64_t{offset} + length <=
               LoadValue<int64_t>(array.buffers[array.n_buffers - 1], buffer);
  }
};
static_assert(sizeof(View) == kViewBytes);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_VIEW_H_
