// SPDX-License-Identifier: MIT
//
// The gate at level shape: does an array fit its layout?
//
// O(columns). Nothing is dereferenced that was not checked first, and of the values only
// the first and the last offset, the last run end and the sizes of view buffers are read.
// Whether what is followed stays inside its buffer is the business of deeper levels.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_CHECK_H_
#define ALLOY_SRC_GATE_CHECK_H_

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"

namespace alloy::core {

// Check an array of any type.
//   Fails  ALLOY_BAD_DATA  with reason and column, as Layout::Of counts them.
Status CheckShape(const Layout& layout, const ArrowArray& array);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_CHECK_H_
