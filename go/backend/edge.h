// SPDX-License-Identifier: MIT
//
// The C side of a backend in Go: the services as functions, because Go cannot call a pointer
// to one, and the entry points, whose addresses the table has.
#ifndef ALLOY_GO_BACKEND_EDGE_H_
#define ALLOY_GO_BACKEND_EDGE_H_

#include <stdint.h>

#include "alloy_backend.h"

alloy_code alloy_go_fail(alloy_scope* scope, alloy_code code, const char* text,
                         int64_t length);
int32_t alloy_go_cancelled(alloy_scope* scope);
void alloy_go_progress(alloy_scope* scope, int64_t done, int64_t total);
void alloy_go_log(alloy_scope* scope, int32_t level, const char* text, int64_t length);
int32_t alloy_go_logging(alloy_scope* scope, int32_t level);
// After alloy_backend_init.
void* alloy_go_resize(void* memory, int64_t old_size, int64_t new_size);

// Pull from an input. Returns its errno, and then also its text.
int32_t alloy_go_input_next(struct ArrowArrayStream* input, struct ArrowArray* out,
                            const char** text);
void alloy_go_input_release(struct ArrowArrayStream* input);
// Make a stream that `handle` serves.
void alloy_go_output_make(uintptr_t handle, struct ArrowArrayStream* out);

// The entry points of the table. `self` is the number of the function, and `state` is a cgo
// handle.
alloy_code alloy_go_bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                         int32_t n_inputs, const char* const* values,
                         struct ArrowSchema* output, void** state);
alloy_code alloy_go_run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                        int32_t n_inputs, struct ArrowArray* output);
alloy_code alloy_go_open(void* state, alloy_scope* scope, struct ArrowArrayStream* inputs,
                         int32_t n_inputs, struct ArrowArrayStream* output);
void alloy_go_unbind(void* state);

#endif  // ALLOY_GO_BACKEND_EDGE_H_
