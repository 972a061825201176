// SPDX-License-Identifier: MIT
// A backend whose one function gives a batch without columns, and counts its
// initialisations. What a macro names is wrong with it.
#include <stddef.h>

#include "alloy/backend.h"

static int initialisations;

static void ReleaseSchema(struct ArrowSchema* schema) { schema->release = NULL; }
static void ReleaseArray(struct ArrowArray* array) { array->release = NULL; }

static alloy_code Bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                       int32_t n_inputs, const char* const* values,
                       struct ArrowSchema* output, void** state) {
  (void)self, (void)scope, (void)inputs, (void)n_inputs, (void)values;
  *output = (struct ArrowSchema){.format = "+s", .name = "", .release = ReleaseSchema};
  *state = NULL;
  return ALLOY_OK;
}

// As many rows as this library was initialised times.
static alloy_code Run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                      int32_t n_inputs, struct ArrowArray* output) {
  static const void* buffers[1];
  (void)state, (void)scope, (void)inputs, (void)n_inputs;
  *output = (struct ArrowArray){.length = initialisations,
                                .n_buffers = 1,
                                .buffers = buffers,
                                .release = ReleaseArray};
  return ALLOY_OK;
}

static const alloy_function kOne = {.struct_size = sizeof(alloy_function),
                                    .name = "one",
                                    .max_inputs = -1,
                                    .bind = Bind,
                                    .run = Run};
static const alloy_function* const kFunctions[] = {&kOne, NULL};

#ifndef ONE_ABI
#define ONE_ABI ALLOY_ABI
#endif
#ifndef ONE_NAME
#define ONE_NAME "acme.one"
#endif
static const alloy_backend kBackend = {.struct_size = sizeof(alloy_backend),
                                       .abi = ONE_ABI,
                                       .name = ONE_NAME,
                                       .version = "1.0.0",
                                       .language = "C",
                                       .functions = kFunctions};

const alloy_backend* alloy_backend_init(const alloy_services* services,
                                        alloy_scope* scope) {
  const alloy_backend* table = &kBackend;
  ++initialisations;
  (void)services, (void)scope;
#if defined(ONE_FAILS)
  services->fail(scope, ALLOY_FAILED, "the licence has ended", -1);
  table = NULL;
#elif defined(ONE_FAILS_FIRST)
  if (initialisations == 1) {
    services->fail(scope, ALLOY_FAILED, "the licence server is away", -1);
    table = NULL;
  }
#elif defined(ONE_SILENT)
  table = NULL;
#endif
  return table;
}
