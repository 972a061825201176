// SPDX-License-Identifier: MIT
#include "slices.h"

#include <algorithm>
#include <new>
#include <utility>

#include "alloy/block.hpp"

namespace aggregate {

bool Slices::Next(int64_t rows, ArrowArray* output) {
  const ArrowArray& whole = **batch_;
  rows = std::min(rows, whole.length - first_);
  if (rows <= 0) return false;
  int64_t buffers = 1;
  for (int64_t i = 0; i < whole.n_children; ++i) buffers += whole.children[i]->n_buffers;

  auto keeper = batch_;
  auto block = alloy::Block<decltype(keeper)>::Make(1 + whole.n_children, buffers,
                                                    std::move(keeper));
  if (!block) throw std::bad_alloc();
  ArrowArray root{};
  block.Init(&root, {.length = rows, .n_buffers = 1, .n_children = whole.n_children});
  for (int64_t i = 0; i < whole.n_children; ++i) {
    const ArrowArray& column = *whole.children[i];
    ArrowArray* part = root.children[i];
    block.Init(part, {.length = rows,
                      .null_count = column.null_count == 0 ? 0 : -1,  // not counted
                      .offset = column.offset + first_,
                      .n_buffers = column.n_buffers});
    std::copy_n(column.buffers, column.n_buffers, part->buffers);
  }
  block.Finish();
  *output = root;
  first_ += rows;
  return true;
}

}  // namespace aggregate
