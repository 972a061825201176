// SPDX-License-Identifier: MIT
//
// The echo in plain C: counts the arrays it is sent, or gives its batch back, and writes
// what it saw to the host's log.
#include <stdio.h>
#include <stdlib.h>

#include "alloy/backend_c.h"

// What a bound function keeps: a copy of its input schemas, to describe arrays with.
struct state {
  int32_t n_inputs;
  struct ArrowSchema inputs[];
};

static void unbind(void* state) {
  struct state* self = state;
  for (int32_t i = 0; i < self->n_inputs; ++i) {
    if (self->inputs[i].release != NULL) self->inputs[i].release(&self->inputs[i]);
  }
  free(self);
}

static alloy_code make_state(alloy_scope* scope, const struct ArrowSchema* inputs,
                             int32_t n_inputs, void** state) {
  struct state* self = calloc(1, sizeof(*self) + (size_t)n_inputs * sizeof(*inputs));
  if (self == NULL) return alloy_fail(scope, ALLOY_EXHAUSTED, "out of memory");
  self->n_inputs = n_inputs;
  for (int32_t i = 0; i < n_inputs; ++i) {
    const alloy_code code = alloy_schema_copy(scope, &inputs[i], &self->inputs[i]);
    if (code != ALLOY_OK) {
      unbind(self);
      return code;
    }
  }
  *state = self;
  return ALLOY_OK;
}

static void log_hello(alloy_scope* scope) {
  scope->services->log(scope, ALLOY_LOG_INFO, "Hello! Reading the ffi pointers now.", -1);
}

static void log_array(alloy_scope* scope, int32_t number,
                      const struct ArrowSchema* schema, const struct ArrowArray* array) {
  const alloy_services* services = scope->services;
  const int64_t length = services->describe(schema, array, NULL, 0);
  if (length < 0) return;
  const size_t room = (size_t)length + 32;
  char* line = malloc(room);
  if (line == NULL) return;
  const int start = snprintf(line, room, "array%d: ", (int)number);
  services->describe(schema, array, line + start, length + 1);
  services->log(scope, ALLOY_LOG_INFO, line, -1);
  free(line);
}

// from_chunks: n batches of one column each in, one row of one int64 column out: n.

static const alloy_field count_fields[] = {{"count", "l", 0}, {0}};

static alloy_code from_chunks_bind(void* self, alloy_scope* scope,
                                   const struct ArrowSchema* inputs, int32_t n_inputs,
                                   const char* const* values, struct ArrowSchema* output,
                                   void** state) {
  (void)self;
  (void)values;
  for (int32_t i = 0; i < n_inputs; ++i) {
    if (inputs[i].n_children != 1) {
      return alloy_fail(scope, ALLOY_NO_MATCH,
                        "from_chunks takes batches of one column; input %d has %lld",
                        (int)i, (long long)inputs[i].n_children);
    }
  }
  alloy_code code = make_state(scope, inputs, n_inputs, state);
  if (code != ALLOY_OK) return code;
  code = alloy_schema_make(scope, count_fields, output);
  if (code != ALLOY_OK) unbind(*state);
  return code;
}

static alloy_code from_chunks_run(void* state, alloy_scope* scope,
                                  struct ArrowArray* inputs, int32_t n_inputs,
                                  struct ArrowArray* output) {
  const struct state* self = state;
  if (scope->services->logging(scope, ALLOY_LOG_INFO)) {
    log_hello(scope);
    for (int32_t i = 0; i < n_inputs; ++i) {
      log_array(scope, i + 1, self->inputs[i].children[0], inputs[i].children[0]);
    }
  }
  const alloy_code code = alloy_batch_make(scope, count_fields, 1, output);
  if (code != ALLOY_OK) return code;
  *(int64_t*)alloy_values(output->children[0]) = n_inputs;
  return ALLOY_OK;
}

// echo: one batch in, the same batch out.

static alloy_code echo_bind(void* self, alloy_scope* scope,
                            const struct ArrowSchema* inputs, int32_t n_inputs,
                            const char* const* values, struct ArrowSchema* output,
                            void** state) {
  (void)self;
  (void)values;
  alloy_code code = make_state(scope, inputs, n_inputs, state);
  if (code != ALLOY_OK) return code;
  code = alloy_schema_copy(scope, &inputs[0], output);
  if (code != ALLOY_OK) unbind(*state);
  return code;
}

static alloy_code echo_run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                           int32_t n_inputs, struct ArrowArray* output) {
  const struct state* self = state;
  (void)n_inputs;
  if (scope->services->logging(scope, ALLOY_LOG_INFO)) {
    log_hello(scope);
    log_array(scope, 1, &self->inputs[0], &inputs[0]);
  }
  *output = inputs[0];
  inputs[0].release = NULL;  // moved out: the engine releases the rest
  return ALLOY_OK;
}

static const alloy_function from_chunks = {.struct_size = sizeof(alloy_function),
                                           .name = "from_chunks",
                                           .summary = "Counts the arrays it is sent.",
                                           .min_inputs = 0,
                                           .max_inputs = -1,
                                           .bind = from_chunks_bind,
                                           .run = from_chunks_run,
                                           .unbind = unbind};

static const alloy_function echo = {.struct_size = sizeof(alloy_function),
                                    .name = "echo",
                                    .summary = "Gives its batch back.",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .bind = echo_bind,
                                    .run = echo_run,
                                    .unbind = unbind};

ALLOY_C_BACKEND("alloy.echo", "0.1.0", &from_chunks, &echo)
