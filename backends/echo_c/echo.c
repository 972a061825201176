// SPDX-License-Identifier: MIT
//
// The echo in plain C: nothing but backend.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloy/backend.h"

// What a bound function keeps: a copy of its input schemas, for the log and the output.
struct state {
  int32_t n_inputs;
  struct ArrowSchema inputs[];
};

static alloy_code out_of_memory(alloy_scope* scope) {
  return scope->services->fail(scope, ALLOY_EXHAUSTED, "out of memory", -1);
}

// A schema and everything below it, in blocks of malloc: the strings of a node lie in its
// private_data.
static void release_schema(struct ArrowSchema* schema) {
  for (int64_t i = 0; i < schema->n_children; ++i) {
    struct ArrowSchema* child = schema->children[i];
    if (child != NULL && child->release != NULL) child->release(child);
    free(child);
  }
  if (schema->dictionary != NULL) {
    if (schema->dictionary->release != NULL) {
      schema->dictionary->release(schema->dictionary);
    }
    free(schema->dictionary);
  }
  free(schema->children);
  free(schema->private_data);
  schema->release = NULL;
}

// Bytes of a metadata block: a count, then length and bytes of each key and value.
static size_t metadata_bytes(const char* metadata) {
  int32_t pairs;
  int32_t length;
  const char* at = metadata + sizeof(pairs);
  if (metadata == NULL) return 0;
  memcpy(&pairs, metadata, sizeof(pairs));
  for (int64_t strings = 2 * (int64_t)pairs; strings > 0; --strings) {
    memcpy(&length, at, sizeof(length));
    at += sizeof(length) + (size_t)length;
  }
  return (size_t)(at - metadata);
}

// Returns 0 and gives `out`, or -1 and leaves it released.
static int copy_schema(const struct ArrowSchema* schema, struct ArrowSchema* out) {
  const char* name = schema->name == NULL ? "" : schema->name;
  const size_t metadata = metadata_bytes(schema->metadata);
  const size_t format_bytes = strlen(schema->format) + 1;
  const size_t name_bytes = strlen(name) + 1;
  char* strings = malloc(metadata + format_bytes + name_bytes);
  memset(out, 0, sizeof(*out));
  if (strings == NULL) return -1;
  if (metadata > 0) memcpy(strings, schema->metadata, metadata);
  out->metadata = metadata > 0 ? strings : NULL;
  out->format = memcpy(strings + metadata, schema->format, format_bytes);
  out->name = memcpy(strings + metadata + format_bytes, name, name_bytes);
  out->flags = schema->flags;
  out->private_data = strings;
  out->release = release_schema;
  if (schema->n_children > 0) {
    out->children = calloc((size_t)schema->n_children, sizeof(*out->children));
    if (out->children == NULL) goto fail;
    out->n_children = schema->n_children;
    for (int64_t i = 0; i < schema->n_children; ++i) {
      out->children[i] = malloc(sizeof(**out->children));
      if (out->children[i] == NULL ||
          copy_schema(schema->children[i], out->children[i])) {
        goto fail;
      }
    }
  }
  if (schema->dictionary != NULL) {
    out->dictionary = malloc(sizeof(*out->dictionary));
    if (out->dictionary == NULL || copy_schema(schema->dictionary, out->dictionary)) {
      goto fail;
    }
  }
  return 0;
fail:
  out->release(out);
  return -1;
}

static void unbind(void* state) {
  struct state* self = state;
  for (int32_t i = 0; i < self->n_inputs; ++i) {
    if (self->inputs[i].release != NULL) self->inputs[i].release(&self->inputs[i]);
  }
  free(self);
}

static alloy_code keep_schemas(alloy_scope* scope, const struct ArrowSchema* inputs,
                               int32_t n_inputs, void** state) {
  struct state* self = calloc(1, sizeof(*self) + (size_t)n_inputs * sizeof(*inputs));
  if (self == NULL) return out_of_memory(scope);
  self->n_inputs = n_inputs;
  for (int32_t i = 0; i < n_inputs; ++i) {
    if (copy_schema(&inputs[i], &self->inputs[i])) {
      unbind(self);
      return out_of_memory(scope);
    }
  }
  *state = self;
  return ALLOY_OK;
}

static void say_hello(alloy_scope* scope) {
  scope->services->log(scope, ALLOY_LOG_INFO, "Hello! Reading the ffi pointers now.", -1);
}

static void say_array(alloy_scope* scope, int32_t number,
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

static alloy_code from_chunks_bind(void* self, alloy_scope* scope,
                                   const struct ArrowSchema* inputs, int32_t n_inputs,
                                   const char* const* values, struct ArrowSchema* output,
                                   void** state) {
  struct ArrowSchema count = {.format = "l", .name = "count"};
  struct ArrowSchema* children[] = {&count};
  const struct ArrowSchema batch = {
      .format = "+s", .n_children = 1, .children = children};
  (void)self;
  (void)values;
  for (int32_t i = 0; i < n_inputs; ++i) {
    if (inputs[i].n_children != 1) {
      return scope->services->fail(scope, ALLOY_NO_MATCH,
                                   "from_chunks takes batches of one column", -1);
    }
  }
  const alloy_code code = keep_schemas(scope, inputs, n_inputs, state);
  if (code != ALLOY_OK) return code;
  if (copy_schema(&batch, output)) {
    unbind(*state);
    return out_of_memory(scope);
  }
  return ALLOY_OK;
}

// The result of from_chunks: a column with its value in a block of its own, so that it
// may be moved out of its batch.
struct count {
  int64_t value;
  const void* buffers[2];
};

struct count_batch {
  struct ArrowArray column;
  struct ArrowArray* children[1];
  const void* buffers[1];
};

static void release_count(struct ArrowArray* array) {
  free(array->private_data);
  array->release = NULL;
}

static void release_count_batch(struct ArrowArray* array) {
  struct count_batch* batch = array->private_data;
  if (batch->column.release != NULL) batch->column.release(&batch->column);
  free(batch);
  array->release = NULL;
}

static alloy_code from_chunks_run(void* state, alloy_scope* scope,
                                  struct ArrowArray* inputs, int32_t n_inputs,
                                  struct ArrowArray* output) {
  const struct state* self = state;
  if (scope->services->logging(scope, ALLOY_LOG_INFO)) {
    say_hello(scope);
    for (int32_t i = 0; i < n_inputs; ++i) {
      say_array(scope, i + 1, self->inputs[i].children[0], inputs[i].children[0]);
    }
  }
  struct count* count = calloc(1, sizeof(*count));
  struct count_batch* batch = calloc(1, sizeof(*batch));
  if (count == NULL || batch == NULL) {
    free(count);
    free(batch);
    return out_of_memory(scope);
  }
  count->value = n_inputs;
  count->buffers[1] = &count->value;
  batch->column = (struct ArrowArray){.length = 1,
                                      .n_buffers = 2,
                                      .buffers = count->buffers,
                                      .release = release_count,
                                      .private_data = count};
  batch->children[0] = &batch->column;
  *output = (struct ArrowArray){.length = 1,
                                .n_buffers = 1,
                                .n_children = 1,
                                .buffers = batch->buffers,
                                .children = batch->children,
                                .release = release_count_batch,
                                .private_data = batch};
  return ALLOY_OK;
}

// echo: one batch in, the same batch out.

static alloy_code echo_bind(void* self, alloy_scope* scope,
                            const struct ArrowSchema* inputs, int32_t n_inputs,
                            const char* const* values, struct ArrowSchema* output,
                            void** state) {
  (void)self;
  (void)values;
  const alloy_code code = keep_schemas(scope, inputs, n_inputs, state);
  if (code != ALLOY_OK) return code;
  if (copy_schema(&inputs[0], output)) {
    unbind(*state);
    return out_of_memory(scope);
  }
  return ALLOY_OK;
}

static alloy_code echo_run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                           int32_t n_inputs, struct ArrowArray* output) {
  const struct state* self = state;
  (void)n_inputs;
  if (scope->services->logging(scope, ALLOY_LOG_INFO)) {
    say_hello(scope);
    say_array(scope, 1, &self->inputs[0], &inputs[0]);
  }
  *output = inputs[0];
  inputs[0].release = NULL;
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

static const alloy_function* const functions[] = {&from_chunks, &echo, NULL};

static const alloy_backend backend = {.struct_size = sizeof(alloy_backend),
                                      .abi = ALLOY_ABI,
                                      .name = "alloy.echo",
                                      .version = "0.1.0",
                                      .language = "C",
                                      .functions = functions};

const alloy_backend* alloy_backend_init(const alloy_services* services,
                                        alloy_scope* scope) {
  if (services->abi != ALLOY_ABI || services->struct_size < sizeof(alloy_services)) {
    services->fail(scope, ALLOY_UNSUPPORTED, "the engine is older than this backend", -1);
    return NULL;
  }
  return &backend;
}
