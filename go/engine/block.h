// SPDX-License-Identifier: MIT
//
// The block in which one call's inputs cross: a header, then every struct and pointer
// that Go writes. Its structs may be released one by one, in any order, from any thread;
// Go is entered once, when the last of them is gone after the call has returned.
#ifndef ALLOY_GO_ENGINE_BLOCK_H_
#define ALLOY_GO_ENGINE_BLOCK_H_

#include <stdint.h>

#include "api.h"

typedef struct alloy_go_block {
  int64_t parts;     // structs that are not released, and one while Go holds the block
  uintptr_t handle;  // whose keeper gets the block back with the last part
  struct alloy_go_block* next;  // in the list of those that are gone
} alloy_go_block;

// What private_data of a struct points to; in the block as well.
typedef struct alloy_go_part {
  void* block;
  int64_t gone;  // whether it is released
} alloy_go_part;

// Make a zeroed block of `size` bytes, the header included; NULL when memory is short.
void* alloy_go_block_new(uint64_t size);

// Free a block that holds no structs.
void alloy_go_block_free(void* block);

// Give up `parts` of the block; with the last of them it is given back to Go.
void alloy_go_block_drop(void* block, int64_t parts);

// Have the blocks that are given back on this thread listed, until the list before, which
// is returned, is set again; NULL: Go is called for each.
alloy_go_block** alloy_go_list_gone(alloy_go_block** list);

// What the structs of a block carry as their release; private_data is their part.
void alloy_go_release_array(struct ArrowArray* array);

// What schemas that are only lent carry as their release: marks them, frees nothing.
void alloy_go_release_schema(struct ArrowSchema* schema);

// 64 zeros: what empty buffers point to, since some importers refuse NULL.
extern const uint64_t alloy_go_zeros[8];

// Release a result, from Go. Returns the list of the blocks that went with it on this
// thread, NULL for none: Go takes them when it is back, and need not be called for each.
void* alloy_go_call_release(struct ArrowArray* array);

// The log of a host, as alloy_host_options wants it; context is a handle of Go.
void alloy_go_log(void* context, int32_t level, const char* language, const char* text,
                  int64_t length);

// Make a host whose log goes to Go when log_handle is not 0, and to log_fd otherwise.
// Borrows may_need, as alloy_host_options has it.
alloy_code alloy_go_host_new(uint32_t flags, const char* const* may_need, int32_t log_fd,
                             uintptr_t log_handle, alloy_host** out, alloy_error* err);

#endif  // ALLOY_GO_ENGINE_BLOCK_H_
