// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "_cgo_export.h"

static int SourceSchema(struct ArrowArrayStream* stream, struct ArrowSchema* out) {
  alloy_go_source* source = stream->private_data;
  if (source->inner != NULL) return source->inner->get_schema(source->inner, out);
  *out = *source->schema;
  return 0;
}

static int SourceNext(struct ArrowArrayStream* stream, struct ArrowArray* out) {
  alloy_go_source* source = stream->private_data;
  if (source->inner != NULL) {
    const int failed = source->inner->get_next(source->inner, out);
    // Go reads the error now, before anyone can release either stream.
    if (failed != 0) alloyGoFailed(source->handle);
    return failed;
  }
  out->release = NULL;
  // Give Go the blocks that were released since the last entry. Otherwise a function that
  // reads its whole input in one get_next would hold all of it. A goroutine may exit in Go
  // code and never return here; so this thread must not keep a pointer to this stack.
  alloy_go_block** list = alloy_go_collect_released(NULL);
  alloy_go_block* released = NULL;
  if (list != NULL) {
    released = *list;
    *list = NULL;
  }
  const int number = alloyGoNext(source, out, released);
  alloy_go_collect_released(list);
  return number;
}

static const char* SourceError(struct ArrowArrayStream* stream) {
  alloy_go_source* source = stream->private_data;
  if (source->inner == NULL) return source->text;
  const char* (*last_error)(struct ArrowArrayStream*) = source->inner->get_last_error;
  return last_error != NULL ? last_error(source->inner) : NULL;
}

static void SourceRelease(struct ArrowArrayStream* stream) {
  alloy_go_source* source = stream->private_data;
  stream->release = NULL;
  alloy_go_block** list = alloy_go_collect_released(NULL);
  alloyGoDone(source->handle);
  alloy_go_collect_released(list);
  free(source->text);
  free(source);
}

int32_t alloy_go_source_new(uintptr_t handle, const struct ArrowSchema* schema,
                            struct ArrowArrayStream* inner,
                            struct ArrowArrayStream* out) {
  alloy_go_source* source = calloc(1, sizeof(*source));
  if (source == NULL) return 0;
  source->handle = handle;
  source->schema = schema;
  source->inner = inner;
  *out = (struct ArrowArrayStream){
      .get_schema = SourceSchema,
      .get_next = SourceNext,
      .get_last_error = SourceError,
      .release = SourceRelease,
      .private_data = source,
  };
  return 1;
}

void alloy_go_source_fail(alloy_go_source* source, char* text) {
  free(source->text);
  source->text = text;
}

alloy_code alloy_go_result_open(alloy_call* call, struct ArrowArrayStream* inputs,
                                int32_t n_inputs, int64_t timeout_ns, uint64_t ticket,
                                alloy_go_result* result) {
  result->released = NULL;
  alloy_go_block** outer = alloy_go_collect_released(&result->released);
  const alloy_code code = alloy_call_stream(call, inputs, n_inputs, &result->stream,
                                            timeout_ns, ticket, &result->err);
  for (int32_t i = 0; i < n_inputs; ++i) {
    if (inputs[i].release != NULL) inputs[i].release(&inputs[i]);
  }
  alloy_go_collect_released(outer);
  return code;
}

alloy_code alloy_go_result_next(alloy_go_result* result, struct ArrowArray* out) {
  result->released = NULL;
  alloy_go_block** outer = alloy_go_collect_released(&result->released);
  const int number = result->stream.get_next(&result->stream, out);
  alloy_go_collect_released(outer);
  if (number == 0) return ALLOY_OK;
  out->release = NULL;
  const alloy_code code = alloy_go_result_error(result);
  if (code != ALLOY_OK) return code;
  result->err.code = ALLOY_INTERNAL;
  result->err.reason = 0;
  result->err.input = result->err.column = -1;
  result->err.side = 1;
  result->err.length = (uint16_t)snprintf(result->err.text, sizeof(result->err.text),
                                          "the stream failed with errno %d", number);
  return ALLOY_INTERNAL;
}

alloy_code alloy_go_result_error(alloy_go_result* result) {
  return alloy_stream_error(&result->stream, &result->err);
}

void alloy_go_result_release(alloy_go_result* result) {
  result->released = NULL;
  if (result->stream.release == NULL) return;
  alloy_go_block** outer = alloy_go_collect_released(&result->released);
  result->stream.release(&result->stream);
  alloy_go_collect_released(outer);
}
