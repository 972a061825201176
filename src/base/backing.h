// SPDX-License-Identifier: MIT
//
// Memory that takes no room before it is used, such as a segment of shared memory. Without
// memory behind it, the first access to a page would end the process with SIGBUS. So whoever
// gives out a piece of it asks here first, and gets an error.
#ifndef ALLOY_SRC_BASE_BACKING_H_
#define ALLOY_SRC_BASE_BACKING_H_

#include <cstddef>

#include "base/status.h"

namespace alloy::core {

// Threads  shared.
class Backing {
 public:
  virtual ~Backing() = default;

  // Put memory behind these bytes. What has some keeps its values.
  //   Fails  EXHAUSTED: there is none.
  virtual Status Back(const std::byte* begin, size_t size) noexcept = 0;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_BACKING_H_
