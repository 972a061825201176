// SPDX-License-Identifier: MIT
//
// Writes log lines wherever a backend may: when it is bound, run, opened, and on threads of
// its own. It reports progress as well.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>

#include "alloy/backend_c.h"

static void Say(alloy_scope* scope, int32_t level, const char* text) {
  scope->services->log(scope, level, text, -1);
}

static void* SayOnThread(void* scope) {
  Say(scope, ALLOY_LOG_WARN, "on a thread");
  return NULL;
}

static alloy_code Bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                       int32_t n_inputs, const char* const* values,
                       struct ArrowSchema* output, void** state) {
  (void)self;
  (void)n_inputs;
  (void)values;
  (void)state;
  Say(scope, ALLOY_LOG_INFO, "bound");
  return alloy_schema_copy(scope, &inputs[0], output);
}

static alloy_code Run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                      int32_t n_inputs, struct ArrowArray* output) {
  (void)state;
  (void)n_inputs;
  // What the host does not want is not made.
  if (scope->services->logging(scope, ALLOY_LOG_DEBUG) != 0) {
    Say(scope, ALLOY_LOG_DEBUG, "details");
  }
  Say(scope, ALLOY_LOG_INFO, "runs");
  pthread_t thread;
  if (pthread_create(&thread, NULL, SayOnThread, scope) == 0) pthread_join(thread, NULL);
  scope->services->progress(scope, 1, 2);
  while (inputs[0].length == 0 && scope->services->cancelled(scope) == 0) {
    // An empty batch runs until the host stops it.
  }
  scope->services->progress(scope, 2, 2);
  *output = inputs[0];
  inputs[0].release = NULL;
  return ALLOY_OK;
}

static alloy_code Open(void* state, alloy_scope* scope, struct ArrowArrayStream* inputs,
                       int32_t n_inputs, struct ArrowArrayStream* output) {
  (void)state;
  (void)n_inputs;
  Say(scope, ALLOY_LOG_ERROR, "opened");
  scope->services->progress(scope, 3, 0);
  *output = inputs[0];
  inputs[0].release = NULL;
  return ALLOY_OK;
}

static const alloy_function kSay = {.struct_size = sizeof(alloy_function),
                                    .name = "say",
                                    .summary = "",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .bind = Bind,
                                    .run = Run};
static const alloy_function kPass = {.struct_size = sizeof(alloy_function),
                                     .flags = ALLOY_STREAM,
                                     .name = "pass",
                                     .summary = "",
                                     .min_inputs = 1,
                                     .max_inputs = 1,
                                     .bind = Bind,
                                     .open = Open};
static const alloy_function* const kFunctions[] = {&kSay, &kPass, NULL};
static const alloy_backend kBackend = {.struct_size = sizeof(alloy_backend),
                                       .abi = ALLOY_ABI,
                                       .name = "test.logs",
                                       .version = "2.3.4",
                                       .language = "C",
                                       .functions = kFunctions};

ALLOY_EXPORT const alloy_backend* alloy_backend_init(const alloy_services* services,
                                                     alloy_scope* scope) {
  (void)services;
  (void)scope;
  return &kBackend;
}
