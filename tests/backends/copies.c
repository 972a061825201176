// SPDX-License-Identifier: MIT
//
// Copies structs of its inputs instead of moving them, and returns structs that contain
// themselves and texts that are longer than a message. The option `how` says which.
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "alloy/backend_c.h"

static const alloy_field kFields[] = {{"x", "l", 0}, {0}};

// A text that is longer than a message to another process.
enum { kLongText = 6 << 20 };
static const char* LongText(void) {
  static char text[kLongText + 1];
  memset(text, 'x', kLongText);
  return text;
}

static int LongSchema(struct ArrowArrayStream* stream, struct ArrowSchema* schema) {
  (void)stream;
  (void)schema;
  return ENOSYS;
}
static int LongNext(struct ArrowArrayStream* stream, struct ArrowArray* array) {
  (void)stream;
  (void)array;
  return EIO;
}
static const char* LongError(struct ArrowArrayStream* stream) {
  (void)stream;
  return LongText();
}
static void LongRelease(struct ArrowArrayStream* stream) { stream->release = NULL; }

static void Forget(struct ArrowSchema* schema) { schema->release = NULL; }
static void ForgetArray(struct ArrowArray* array) { array->release = NULL; }

// A schema that has itself as a child, twice: a walk of it would never end.
static void MakeLoop(struct ArrowSchema* output) {
  static struct ArrowSchema node;
  static struct ArrowSchema* children[2] = {&node, &node};
  node = (struct ArrowSchema){.format = "+s",
                              .name = "loop",
                              .n_children = 2,
                              .children = children,
                              .release = Forget};
  *output = node;
}

static alloy_code Bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                       int32_t n_inputs, const char* const* values,
                       struct ArrowSchema* output, void** state) {
  (void)self;
  (void)n_inputs;
  const char* how = values[0];
  if (strcmp(how, "schema") == 0) {
    *output = inputs[0];
    return ALLOY_OK;
  }
  if (strcmp(how, "schema_loop") == 0) {
    MakeLoop(output);
    return ALLOY_OK;
  }
  const alloy_code code = alloy_schema_make(scope, kFields, output);
  if (code != ALLOY_OK) return code;
  if (strcmp(how, "schema_child") == 0) {
    struct ArrowSchema* const child = output->children[0];
    child->release(child);
    *child = *inputs[0].children[0];
  }
  *state = malloc(strlen(how) + 1);
  if (*state == NULL) return ALLOY_EXHAUSTED;
  strcpy(*state, how);
  return ALLOY_OK;
}

static void Unbind(void* state) { free(state); }

static alloy_code Run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                      int32_t n_inputs, struct ArrowArray* output) {
  const char* how = state;
  if (strcmp(how, "root") == 0) {
    *output = inputs[0];
    return ALLOY_OK;
  }
  if (strcmp(how, "fails") == 0) {
    *output = inputs[0];
    return alloy_fail(scope, ALLOY_FAILED, "it had enough");
  }
  if (strcmp(how, "long_text") == 0) {
    return scope->services->fail(scope, ALLOY_FAILED, LongText(), kLongText);
  }
  if (strcmp(how, "overwrites") == 0 && n_inputs == 2) {
    inputs[1].release(&inputs[1]);
    inputs[1] = inputs[0];
  }
  const alloy_code code = alloy_batch_make(scope, kFields, inputs[0].length, output);
  if (code != ALLOY_OK) return code;
  struct ArrowArray* const child = output->children[0];
  if (strcmp(how, "child") == 0) {
    child->release(child);
    *child = *inputs[0].children[0];
  }
  if (strcmp(how, "array_loop") == 0) {
    static struct ArrowArray node;
    static struct ArrowArray* children[1] = {&node};
    node = (struct ArrowArray){.length = inputs[0].length,
                               .n_buffers = 2,
                               .buffers = child->buffers,
                               .n_children = 1,
                               .children = children,
                               .dictionary = &node,
                               .release = ForgetArray};
    output->children[0] = &node;
  }
  return ALLOY_OK;
}

static alloy_code Open(void* state, alloy_scope* scope, struct ArrowArrayStream* inputs,
                       int32_t n_inputs, struct ArrowArrayStream* output) {
  (void)scope;
  if (strcmp(state, "overwrites") == 0 && n_inputs == 2) {
    inputs[1].release(&inputs[1]);
    inputs[1] = inputs[0];
    return alloy_fail(scope, ALLOY_FAILED, "it had enough");
  }
  if (strcmp(state, "long_text") == 0) {
    *output = (struct ArrowArrayStream){.get_schema = LongSchema,
                                        .get_next = LongNext,
                                        .get_last_error = LongError,
                                        .release = LongRelease};
    return ALLOY_OK;
  }
  *output = inputs[0];
  if (strcmp(state, "well") == 0) inputs[0].release = NULL;
  return ALLOY_OK;
}

static const alloy_option kOptions[] = {{"how", "what it copies", "well"}, {0}};
static const alloy_function kMap = {.struct_size = sizeof(alloy_function),
                                    .name = "map",
                                    .summary = "",
                                    .options = kOptions,
                                    .min_inputs = 1,
                                    .max_inputs = 2,
                                    .bind = Bind,
                                    .run = Run,
                                    .unbind = Unbind};
static const alloy_function kStream = {.struct_size = sizeof(alloy_function),
                                       .flags = ALLOY_STREAM,
                                       .name = "stream",
                                       .summary = "",
                                       .options = kOptions,
                                       .min_inputs = 1,
                                       .max_inputs = 2,
                                       .bind = Bind,
                                       .open = Open,
                                       .unbind = Unbind};
static const alloy_function* const kFunctions[] = {&kMap, &kStream, NULL};
static const alloy_backend kBackend = {.struct_size = sizeof(alloy_backend),
                                       .abi = ALLOY_ABI,
                                       .name = "test.copies",
                                       .version = "1.0.0",
                                       .language = "C",
                                       .functions = kFunctions};

ALLOY_EXPORT const alloy_backend* alloy_backend_init(const alloy_services* services,
                                                     alloy_scope* scope) {
  (void)services;
  (void)scope;
  return &kBackend;
}
