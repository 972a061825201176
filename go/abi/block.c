// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

#include "block.h"

#include <stdlib.h>

#include "_cgo_export.h"

const uint64_t alloy_go_zeros[8];

void* alloy_go_block_new(uint64_t size) { return calloc(1, size); }

void alloy_go_block_free(void* block) { free(block); }

static _Thread_local alloy_go_block** released_blocks;

alloy_go_block** alloy_go_collect_released(alloy_go_block** list) {
  alloy_go_block** before = released_blocks;
  released_blocks = list;
  return before;
}

void alloy_go_block_drop(void* memory, int64_t parts) {
  alloy_go_block* block = memory;
  if (__atomic_sub_fetch(&block->parts, parts, __ATOMIC_ACQ_REL) != 0) return;
  if (released_blocks != NULL) {
    block->next = *released_blocks;
    *released_blocks = block;
  } else {
    alloyGoBlockReleased(block->handle);
  }
}

// Release a struct and its children. Returns how many structs of this block were released.
// A child that was moved out is released already, and is skipped. A child from another
// block, which someone put there, is released by its own callback. If a struct was copied
// instead of moved, its second release finds the part released, and counts nothing.
static int64_t ReleaseTree(struct ArrowArray* array) {
  alloy_go_part* part = array->private_data;
  int64_t released = __atomic_exchange_n(&part->released, 1, __ATOMIC_RELAXED) == 0;
  for (int64_t i = 0; i < array->n_children + 1; ++i) {
    struct ArrowArray* child =
        i < array->n_children ? array->children[i] : array->dictionary;
    if (child == NULL || child->release == NULL) continue;
    if (child->release == alloy_go_release_array &&
        ((alloy_go_part*)child->private_data)->block == part->block) {
      released += ReleaseTree(child);
    } else {
      child->release(child);
    }
  }
  array->release = NULL;
  return released;
}

void alloy_go_release_array(struct ArrowArray* array) {
  void* block = ((alloy_go_part*)array->private_data)->block;
  const int64_t released = ReleaseTree(array);
  if (released > 0) alloy_go_block_drop(block, released);
}

void alloy_go_release_schema(struct ArrowSchema* schema) { schema->release = NULL; }

void alloy_go_release_given_schema(struct ArrowSchema* schema) {
  alloy_go_block* block = schema->private_data;
  for (int64_t i = 0; i < schema->n_children; ++i) {
    struct ArrowSchema* child = schema->children[i];
    if (child->release != NULL) child->release(child);
  }
  struct ArrowSchema* dictionary = schema->dictionary;
  if (dictionary != NULL && dictionary->release != NULL) dictionary->release(dictionary);
  schema->release = NULL;
  if (__atomic_sub_fetch(&block->parts, 1, __ATOMIC_ACQ_REL) == 0) free(block);
}

void* alloy_go_call_release(struct ArrowArray* array) {
  if (array->release == NULL) return NULL;
  alloy_go_block* released = NULL;
  alloy_go_block** outer = alloy_go_collect_released(&released);
  array->release(array);
  alloy_go_collect_released(outer);
  return released;
}
