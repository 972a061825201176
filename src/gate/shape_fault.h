// SPDX-License-Identifier: MIT
//
// The faults that level shape finds, and their error texts.
//
// The walk (shape.h) only stores a ShapeFault. The text is made after the walk has
// failed, so that a walk that passes pays nothing for it.
//
// Threads  values.
#ifndef ALLOY_SRC_GATE_SHAPE_FAULT_H_
#define ALLOY_SRC_GATE_SHAPE_FAULT_H_

#include <cstdint>

#include "arrow/layout.h"
#include "base/status.h"

namespace alloy::core {

struct ShapeFault {
  enum Kind : uint8_t {
    kReleased,
    kNegativeLength,
    kNegativeOffset,
    kOverflow,  // expected: the length; found: the offset
    kLowNullCount,
    kHighNullCount,
    kChildCount,
    kChildrenNull,
    kChildNull,
    kChildTooShort,
    kDictionaryMissing,
    kDictionaryUnexpected,
    kBufferCount,
    kBuffersNull,
    kBufferNull,  // found: the index of the buffer
    kNullsWithoutBitmap,
    kUnexpectedNulls,
    kNegativeFirstOffset,
    kLowLastOffset,
    kTooFewViewBuffers,
    kTooManyViewBuffers,
    kViewSizesNull,
    kNegativeViewSize,
    kRunEndsOffset,
    kRunEndsNulls,
    kRunEndsTooShort,
  };

  Kind kind = kReleased;
  int32_t node = 0;
  int64_t expected = 0;  // the exact number, or the limit
  int64_t found = 0;
};

// The fault as an error.
Status ShapeStatus(const Layout& layout, const ShapeFault& fault);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_SHAPE_FAULT_H_
