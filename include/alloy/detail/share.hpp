// SPDX-License-Identifier: MIT
//
// Arrays over memory that something else keeps alive.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_SHARE_HPP_
#define ALLOY_DETAIL_SHARE_HPP_

#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "alloy/alloy.h"
#include "alloy/block.hpp"
#include "alloy/detail/mirror.hpp"
#include "alloy/owned.hpp"
#include "alloy/schema.hpp"
#include "alloy/status.hpp"

namespace alloy::detail {

using Keeper = std::shared_ptr<const void>;  // keeps the memory of an array alive

// An array over memory that `keeper` keeps alive. With `as_batch` it becomes the only
// column of a batch.
inline OwnedArray ShareArray(const ArrowArray& array, Keeper keeper, bool as_batch) {
  TreeSize size;
  size.Add(array);
  if (as_batch) size = {size.nodes + 1, size.buffers + 1};
  auto block = Block<Keeper>::Make(size.nodes, size.buffers, std::move(keeper));
  if (!block) throw std::bad_alloc();
  OwnedArray shared;
  ArrowArray* slot = shared.get();
  if (as_batch) {
    block.Init(slot, {.length = array.length, .n_buffers = 1, .n_children = 1});
    slot = slot->children[0];
  }
  Mirror(block, slot, array, array.dictionary);
  block.Finish();
  return shared;
}

// A schema and an array with one lifetime.
struct Imported {
  Schema own_schema;
  std::shared_ptr<const Schema> shared_schema;
  OwnedArray array;
};

inline Status CheckShape(const ArrowSchema& schema, const ArrowArray& array) {
  int64_t length = 0;
  alloy_error error;
  if (alloy_describe(&schema, &array, nullptr, 0, &length, &error) == ALLOY_OK) return {};
  return Status(error);
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_SHARE_HPP_
