// SPDX-License-Identifier: MIT
//
// Streams across the boundary: inputs that Go serves, and results that Go pulls.
//
// Go is entered for each batch of an input that Go code makes, and once when an input is
// released. An input that is itself a result of Alloy is pulled here, in C. Go is then
// entered only if it fails.
#ifndef ALLOY_GO_ENGINE_STREAM_H_
#define ALLOY_GO_ENGINE_STREAM_H_

#include <stdint.h>

#include "host.h"

// What private_data of an input points to.
typedef struct alloy_go_source {
  // The cgo handle of the Go object that serves the input.
  uintptr_t handle;
  // What get_schema lends. It lives as long as the input.
  const struct ArrowSchema* schema;
  // The result that is passed on, or NULL.
  struct ArrowArrayStream* inner;
  // The text of the failure, from malloc.
  char* text;
} alloy_go_source;

// A result, with room for what each pull returns.
typedef struct alloy_go_result {
  struct ArrowArrayStream stream;
  alloy_go_block* released;  // the blocks that were released during the last entry
  alloy_error err;
} alloy_go_result;

// Make an input that `handle` serves, or that passes `inner` on. Returns 0 if memory is
// short; then nothing is made.
int32_t alloy_go_source_new(uintptr_t handle, const struct ArrowSchema* schema,
                            struct ArrowArrayStream* inner, struct ArrowArrayStream* out);

// Set the text that get_last_error returns. Takes the text, which comes from malloc.
void alloy_go_source_fail(alloy_go_source* source, char* text);

// Open a stream. Takes the inputs, whether or not it succeeds.
alloy_code alloy_go_result_open(alloy_call* call, struct ArrowArrayStream* inputs,
                                int32_t n_inputs, int64_t timeout_ns, uint64_t ticket,
                                alloy_go_result* result);

// Pull the next batch; a released one is the end. On failure err has the whole error.
alloy_code alloy_go_result_next(alloy_go_result* result, struct ArrowArray* out);

// Return the failure that the stream repeats, and put the whole error into err.
alloy_code alloy_go_result_error(alloy_go_result* result);

// Release the stream. The caller then reads `released`, and frees the result with free.
void alloy_go_result_release(alloy_go_result* result);

#endif  // ALLOY_GO_ENGINE_STREAM_H_
