// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

#include "edge.h"

#include <errno.h>

#include "_cgo_export.h"

// Set by init, before anything else runs.
static const alloy_services* engine;

const alloy_backend* alloy_backend_init(const alloy_services* services,
                                        alloy_scope* scope) {
  engine = services;
  return alloyGoInit(scope);
}

alloy_code alloy_go_fail(alloy_scope* scope, alloy_code code, const char* text,
                         int64_t length) {
  return scope->services->fail(scope, code, text, length);
}

int32_t alloy_go_cancelled(alloy_scope* scope) {
  return scope->services->cancelled(scope);
}

void alloy_go_progress(alloy_scope* scope, int64_t done, int64_t total) {
  scope->services->progress(scope, done, total);
}

void alloy_go_log(alloy_scope* scope, int32_t level, const char* text, int64_t length) {
  scope->services->log(scope, level, text, length);
}

int32_t alloy_go_logging(alloy_scope* scope, int32_t level) {
  return scope->services->logging(scope, level);
}

void* alloy_go_resize(void* memory, int64_t old_size, int64_t new_size) {
  return engine->resize(memory, old_size, new_size);
}

int32_t alloy_go_input_next(struct ArrowArrayStream* input, struct ArrowArray* out,
                            const char** text) {
  out->release = NULL;
  const int number = input->get_next(input, out);
  if (number != 0) {
    out->release = NULL;
    *text = input->get_last_error != NULL ? input->get_last_error(input) : NULL;
  }
  return number;
}

void alloy_go_input_release(struct ArrowArrayStream* input) {
  if (input->release != NULL) input->release(input);
}

// The engine has the schema from bind, and does not ask.
static int OutputSchema(struct ArrowArrayStream* stream, struct ArrowSchema* out) {
  (void)stream;
  out->release = NULL;
  return ENOSYS;
}

static int OutputNext(struct ArrowArrayStream* stream, struct ArrowArray* out) {
  out->release = NULL;
  return alloyGoNextOutput((uintptr_t)stream->private_data, out);
}

// The text of an error is given to services->fail.
static const char* OutputError(struct ArrowArrayStream* stream) {
  (void)stream;
  return NULL;
}

static void OutputRelease(struct ArrowArrayStream* stream) {
  stream->release = NULL;
  alloyGoReleaseOutput((uintptr_t)stream->private_data);
}

void alloy_go_output_make(uintptr_t handle, struct ArrowArrayStream* out) {
  *out = (struct ArrowArrayStream){
      .get_schema = OutputSchema,
      .get_next = OutputNext,
      .get_last_error = OutputError,
      .release = OutputRelease,
      .private_data = (void*)handle,
  };
}

alloy_code alloy_go_bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                         int32_t n_inputs, const char* const* values,
                         struct ArrowSchema* output, void** state) {
  uintptr_t handle = 0;
  const alloy_code code = alloyGoBind((uintptr_t)self, scope, (struct ArrowSchema*)inputs,
                                      n_inputs, (char**)values, output, &handle);
  *state = (void*)handle;
  return code;
}

alloy_code alloy_go_run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                        int32_t n_inputs, struct ArrowArray* output) {
  return alloyGoRun((uintptr_t)state, scope, inputs, n_inputs, output);
}

alloy_code alloy_go_open(void* state, alloy_scope* scope, struct ArrowArrayStream* inputs,
                         int32_t n_inputs, struct ArrowArrayStream* output) {
  return alloyGoOpen((uintptr_t)state, scope, inputs, n_inputs, output);
}

void alloy_go_unbind(void* state) { alloyGoUnbind((uintptr_t)state); }
