// SPDX-License-Identifier: MIT
//
// Streams across the boundary: inputs that Go serves, and the results that it pulls.
//
// Go is entered for each batch of an input that Go code makes, and once when an input is
// done. An input that is itself a result of Alloy is pulled here, without Go, unless it
// fails.
#ifndef ALLOY_GO_ENGINE_STREAM_H_
#define ALLOY_GO_ENGINE_STREAM_H_

#include <stdint.h>

#include "block.h"

// What private_data of an input points to.
typedef struct alloy_go_source {
  uintptr_t handle;                  // of what serves it, told when it is done
  const struct ArrowSchema* schema;  // what get_schema lends, as long as the input lives
  struct ArrowArrayStream* inner;    // the result that is passed on, or NULL
  char* text;                        // of the failure; malloc
} alloy_go_source;

// A result, with room for what each pull has to tell.
typedef struct alloy_go_result {
  struct ArrowArrayStream stream;
  alloy_go_block* gone;  // blocks that were released during the last entry
  alloy_error err;
} alloy_go_result;

// Make an input that `handle` serves, or that passes `inner` on. 0 when memory is short;
// then nothing is made, and the handle not told.
int32_t alloy_go_source_new(uintptr_t handle, const struct ArrowSchema* schema,
                            struct ArrowArrayStream* inner, struct ArrowArrayStream* out);

// Keep the text of a failure, a malloc'ed string, for get_last_error.
void alloy_go_source_fail(alloy_go_source* source, char* text);

// Open a stream. The inputs are gone afterwards, whatever the code.
alloy_code alloy_go_result_open(alloy_call* call, struct ArrowArrayStream* inputs,
                                int32_t n_inputs, int64_t timeout_ns, uint64_t ticket,
                                alloy_go_result* result);

// The next batch; a released one at the end. A failure is a code, told whole in err.
alloy_code alloy_go_result_next(alloy_go_result* result, struct ArrowArray* out);

// The failure that the stream repeats.
alloy_code alloy_go_result_error(alloy_go_result* result);

// Release the stream. The result itself, which tells what went with it, is freed by free.
void alloy_go_result_release(alloy_go_result* result);

#endif  // ALLOY_GO_ENGINE_STREAM_H_
