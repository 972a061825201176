// SPDX-License-Identifier: MIT
#include "block.h"

#include <stdlib.h>

#include "_cgo_export.h"

const uint64_t alloy_go_zeros[8];

void* alloy_go_block_new(uint64_t size) { return calloc(1, size); }

void alloy_go_block_free(void* block) { free(block); }

static _Thread_local alloy_go_block** gone_blocks;

alloy_go_block** alloy_go_list_gone(alloy_go_block** list) {
  alloy_go_block** before = gone_blocks;
  gone_blocks = list;
  return before;
}

void alloy_go_block_drop(void* memory, int64_t parts) {
  alloy_go_block* block = memory;
  if (__atomic_sub_fetch(&block->parts, parts, __ATOMIC_ACQ_REL) != 0) return;
  if (gone_blocks != NULL) {
    block->next = *gone_blocks;
    *gone_blocks = block;
  } else {
    alloyGoGiveBack(block->handle);
  }
}

// Mark a struct and those below it; returns how many of this block's parts are gone. A
// child that was moved out is marked already; one that someone put there is released by
// its own callback. Where a struct was copied instead of moved, the second release finds
// the part gone, and counts nothing.
static int64_t Mark(struct ArrowArray* array) {
  alloy_go_part* part = array->private_data;
  int64_t gone = __atomic_exchange_n(&part->gone, 1, __ATOMIC_RELAXED) == 0;
  for (int64_t i = 0; i < array->n_children + 1; ++i) {
    struct ArrowArray* child =
        i < array->n_children ? array->children[i] : array->dictionary;
    if (child == NULL || child->release == NULL) continue;
    if (child->release == alloy_go_release_array &&
        ((alloy_go_part*)child->private_data)->block == part->block) {
      gone += Mark(child);
    } else {
      child->release(child);
    }
  }
  array->release = NULL;
  return gone;
}

void alloy_go_release_array(struct ArrowArray* array) {
  void* block = ((alloy_go_part*)array->private_data)->block;
  const int64_t gone = Mark(array);
  if (gone > 0) alloy_go_block_drop(block, gone);
}

void alloy_go_release_schema(struct ArrowSchema* schema) { schema->release = NULL; }

void* alloy_go_call_release(struct ArrowArray* array) {
  if (array->release == NULL) return NULL;
  alloy_go_block* gone = NULL;
  alloy_go_block** outer = alloy_go_list_gone(&gone);
  array->release(array);
  alloy_go_list_gone(outer);
  return gone;
}

void alloy_go_log(void* context, int32_t level, const char* language, const char* text,
                  int64_t length) {
  alloyGoLog((uintptr_t)context, level, (char*)language, (char*)text, length);
}

alloy_code alloy_go_host_new(uint32_t flags, const char* const* may_need, int32_t log_fd,
                             uintptr_t log_handle, alloy_host** out, alloy_error* err) {
  alloy_host_options options = {
      .struct_size = sizeof(options),
      .flags = flags,
      .may_need = may_need,
      .language = "Go",
      .log_fd = log_fd,
  };
  if (log_handle != 0) {
    options.log = alloy_go_log;
    options.log_context = (void*)log_handle;
  }
  return alloy_host_new(&options, out, err);
}
