// SPDX-License-Identifier: MIT
//
// The block in which the inputs of one call cross: a header, then every struct and pointer
// that Go writes. C code may release the structs one by one, in any order, on any thread.
// Go is entered once: when the last struct is released after the call has returned.
#ifndef ALLOY_GO_ABI_BLOCK_H_
#define ALLOY_GO_ABI_BLOCK_H_

#include <stdint.h>

#include "arrow_abi.h"

// The header of a block.
typedef struct alloy_go_block {
  // The number of structs that are not released, plus one while Go uses the block.
  int64_t parts;
  // The cgo handle of the Go object that owns the block.
  uintptr_t handle;
  // The next block in a list of released blocks.
  struct alloy_go_block* next;
} alloy_go_block;

// What private_data of a struct points to. It lies in the block as well.
typedef struct alloy_go_part {
  void* block;
  int64_t released;  // 1 once the struct is released
} alloy_go_part;

// Make a zeroed block of `size` bytes, including the header. NULL if memory is short.
void* alloy_go_block_new(uint64_t size);

// Free a block whose structs are all released.
void alloy_go_block_free(void* block);

// Subtract `parts` from the parts of the block. At 0 the block is released: Go is called,
// or the block is put into the list of this thread.
void alloy_go_block_drop(void* block, int64_t parts);

// From now on put the blocks that are released on this thread into `list`. NULL calls Go
// for each block instead. Returns the previous list, which the caller sets again.
alloy_go_block** alloy_go_collect_released(alloy_go_block** list);

// The release callback of the structs of a block. Their private_data is an alloy_go_part.
void alloy_go_release_array(struct ArrowArray* array);

// The release callback of schemas that Go lends. It marks them released and frees nothing.
void alloy_go_release_schema(struct ArrowSchema* schema);

// The release callback of schemas that Go gives away. Their private_data is the block in
// which they lie, and the last one frees it.
void alloy_go_release_given_schema(struct ArrowSchema* schema);

// 64 zero bytes. Empty buffers point here, because some importers refuse NULL.
extern const uint64_t alloy_go_zeros[8];

// Release a result, from Go. Returns the list of the blocks that were released by it on
// this thread, NULL if there are none: one cgo call for all of them.
void* alloy_go_call_release(struct ArrowArray* array);

#endif  // ALLOY_GO_ABI_BLOCK_H_
