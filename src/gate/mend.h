// SPDX-License-Identifier: MIT
//
// Copies of buffers whose values are valid Arrow, but more than Arrow libraries can read.
//
// Arrow says nothing about the values of null rows, and only recommends an alignment.
// arrow-rs, arrow2 and Arrow C++ read both without a check:
//   the views of null rows     compare, sort and interleave of arrow-rs follow them
//   the indices of null rows   a dictionary is looked up before the validity is
//   the text of null rows      arrow-rs takes it for UTF-8
//   misaligned numbers         arrow2 refuses them, Arrow C++ reads them as if aligned
// The copies have empty views, indices and texts in null rows, and are aligned to 64
// bytes. Most batches need none of this.
//
// Threads  serial.
#ifndef ALLOY_SRC_GATE_MEND_H_
#define ALLOY_SRC_GATE_MEND_H_

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/result.h"
#include "gate/nulls.h"

namespace alloy::core {

// An array whose buffers are to be copied. `rows`, from the start of the buffers, are all
// rows that the repaired array has.
struct Mend {
  enum class Kind : uint8_t { kAlignment, kNullViews, kNullIndices, kNullTexts };

  const Layout::Node* node = nullptr;
  const ArrowArray* array = nullptr;
  RowRange rows;
  Kind kind = Kind::kAlignment;
};

// True if a buffer of numbers is not aligned as the numbers are.
bool IsMisaligned(const Layout::Node& node, const ArrowArray& array);

// An array with copied buffers. Its rows begin at `offset` now; so the first buffer,
// which is not copied, begins later.
struct MendedArray {
  struct Free {
    void operator()(void* block) const { std::free(block); }
  };
  using Memory = std::unique_ptr<void, Free>;

  const Layout::Node* node = nullptr;
  int64_t offset = 0;
  std::array<const void*, 3> buffers{};  // NULL: the buffer of the old array
  std::array<Memory, 3> memory;          // of those that are not NULL
};

// Make the copies, in the order of the nodes. The arrays have passed the row checks.
//   Fails  ALLOY_EXHAUSTED.
Result<std::vector<MendedArray>> MendArrays(std::vector<Mend> mends);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_MEND_H_
