/* SPDX-License-Identifier: MIT
 *
 * Libraries that are no backends, one for each definition of CASE_...; none of them may
 * ever run, but for those whose init says that it fails.
 */
#include <stdio.h>
#include <stdlib.h>

#include "alloy/backend.h"

#if defined(CASE_TWO_EXPORTS) || defined(CASE_MARKER)
ALLOY_EXPORT int another_export(void);
int another_export(void) { return 1; }
#endif

#ifdef CASE_MARKER
/* Leaves a file behind when the library is loaded, which must not happen: it has two
 * exports. */
__attribute__((constructor)) static void leave_marker(void) {
  const char* path = getenv("ALLOY_TEST_MARKER");
  FILE* file = path == NULL ? NULL : fopen(path, "w");
  if (file != NULL) fclose(file);
}
#endif

#ifdef CASE_NO_INIT
ALLOY_EXPORT int some_export(void);
int some_export(void) { return 1; }
#else

static alloy_code bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                       int32_t n_inputs, const char* const* values,
                       struct ArrowSchema* output, void** state) {
  (void)self;
  (void)inputs;
  (void)n_inputs;
  (void)values;
  (void)output;
  (void)state;
  return scope->services->fail(scope, ALLOY_FAILED, "never bound", -1);
}

static alloy_code run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                      int32_t n_inputs, struct ArrowArray* output) {
  (void)state;
  (void)inputs;
  (void)n_inputs;
  (void)output;
  return scope->services->fail(scope, ALLOY_FAILED, "never run", -1);
}

static const alloy_function function = {
    .struct_size = sizeof(alloy_function),
#ifdef CASE_NAMELESS_FUNCTION
    .name = NULL,
#else
    .name = "f",
#endif
    .min_inputs = 1,
    .max_inputs = 1,
    .bind = bind,
#ifndef CASE_NO_RUN
    .run = run,
#endif
};

static const alloy_function* const functions[] = {
    &function,
    NULL,
};

static const alloy_backend backend = {
#ifdef CASE_SMALL_TABLE
    .struct_size = 8,
#else
    .struct_size = sizeof(alloy_backend),
#endif
#ifdef CASE_WRONG_ABI
    .abi = 2,
#else
    .abi = ALLOY_ABI,
#endif
#ifndef CASE_NAMELESS
    .name = "test.broken",
#endif
    .version = "1.0.0",
    .language = "C",
#ifndef CASE_NO_FUNCTIONS
    .functions = functions,
#endif
};

const alloy_backend* alloy_backend_init(const alloy_services* services,
                                        alloy_scope* scope) {
  (void)backend;
  (void)functions;
#if defined(CASE_NULL_TABLE)
  (void)services;
  (void)scope;
  return NULL;
#elif defined(CASE_INIT_FAILS)
  services->fail(scope, ALLOY_FAILED, "no licence for this machine", -1);
  return NULL;
#else
  (void)services;
  (void)scope;
  (void)run;
  return &backend;
#endif
}
#endif
