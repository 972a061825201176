// SPDX-License-Identifier: MIT
#include "gate/reach.h"

#include <algorithm>
#include <limits>

#include "arrow/load_value.h"
#include "arrow/run_ends.h"

namespace alloy::core {
namespace {

// The smallest range that contains all that were added.
struct Hull {
  int64_t begin = std::numeric_limits<int64_t>::max();
  int64_t end = 0;

  void Add(int64_t first, int64_t past) {
    begin = std::min(begin, first);
    end = std::max(end, past);
  }
  RowRange rows() const {
    return end == 0 ? RowRange{} : RowRange{.begin = begin, .count = end - begin};
  }
};

}  // namespace

RowRange ReachOfListViews(const void* offsets, const void* sizes, uint8_t bytes,
                          RowRange rows) {
  Hull hull;
  for (int64_t i = rows.begin; i < rows.begin + rows.count; ++i) {
    const int64_t size = LoadSigned(sizes, i, bytes);
    if (size == 0) continue;
    const int64_t offset = LoadSigned(offsets, i, bytes);
    hull.Add(offset, offset + size);
  }
  return hull.rows();
}

std::array<RowRange, 128> ReachOfDenseUnion(const void* ids, const void* offsets,
                                            RowRange rows,
                                            std::span<const int8_t, 128> children) {
  std::array<Hull, 128> hulls;
  const auto* type_ids = static_cast<const uint8_t*>(ids);
  for (int64_t i = rows.begin; i < rows.begin + rows.count; ++i) {
    const int64_t offset = LoadValue<int32_t>(offsets, i);
    hulls[static_cast<uint8_t>(children[type_ids[i]])].Add(offset, offset + 1);
  }
  std::array<RowRange, 128> reach;
  for (size_t i = 0; i < reach.size(); ++i) reach[i] = hulls[i].rows();
  return reach;
}

RowRange ReachOfRunEnds(const void* ends, uint8_t bytes, int64_t n_ends, RowRange rows) {
  const int64_t first = RunOf(ends, bytes, n_ends, rows.begin);
  const int64_t last = RunOf(ends, bytes, n_ends, rows.begin + rows.count - 1);
  return {.begin = first, .count = last + 1 - first};
}

}  // namespace alloy::core
