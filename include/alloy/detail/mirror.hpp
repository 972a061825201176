// SPDX-License-Identifier: MIT
//
// Copy the structs of an array, not its memory: the copy is a block whose owner keeps
// that memory alive.
#ifndef ALLOY_DETAIL_MIRROR_HPP_
#define ALLOY_DETAIL_MIRROR_HPP_

#include <algorithm>
#include <cstdint>

#include "alloy/arrow_abi.h"
#include "alloy/block.hpp"

namespace alloy::detail {

// Counts the structs and the buffer pointers of a well-formed tree.
struct TreeSize {
  int64_t nodes = 0;
  int64_t buffers = 0;
  void Add(const ArrowArray& array) {
    ++nodes;
    buffers += array.n_buffers;
    for (int64_t i = 0; i < array.n_children; ++i) Add(*array.children[i]);
    if (array.dictionary != nullptr) Add(*array.dictionary);
  }
};

// Fill a slot of a block with a copy of `array` over the same memory, with `dictionary`
// as its dictionary (NULL: without one).
template <typename Owner>
void Mirror(Block<Owner>& block, ArrowArray* slot, const ArrowArray& array,
            const ArrowArray* dictionary) {
  block.Init(slot, {.length = array.length,
                    .null_count = array.null_count,
                    .offset = array.offset,
                    .n_buffers = array.n_buffers,
                    .n_children = array.n_children,
                    .dictionary = dictionary != nullptr});
  std::copy_n(array.buffers, array.n_buffers, slot->buffers);
  for (int64_t i = 0; i < array.n_children; ++i) {
    const ArrowArray& child = *array.children[i];
    Mirror(block, slot->children[i], child, child.dictionary);
  }
  if (dictionary == nullptr) return;
  Mirror(block, slot->dictionary, *dictionary, dictionary->dictionary);
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_MIRROR_HPP_
