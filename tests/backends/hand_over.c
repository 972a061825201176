/* SPDX-License-Identifier: MIT
 *
 * A backend in C that gives what it is told to give: the options `schema` and `array` are
 * the addresses of structs of this process, which it moves out, whatever they are.
 */
#include <stdlib.h>

#include "alloy/backend.h"

static alloy_code bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                       int32_t n_inputs, const char* const* values,
                       struct ArrowSchema* output, void** state) {
  struct ArrowSchema* schema = (struct ArrowSchema*)strtoull(values[0], NULL, 10);
  (void)self;
  (void)scope;
  (void)inputs;
  (void)n_inputs;
  *output = *schema;
  schema->release = NULL;
  *state = (struct ArrowArray*)strtoull(values[1], NULL, 10);
  return ALLOY_OK;
}

static alloy_code run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                      int32_t n_inputs, struct ArrowArray* output) {
  struct ArrowArray* array = state;
  (void)scope;
  (void)inputs;
  (void)n_inputs;
  *output = *array;
  array->release = NULL;
  return ALLOY_OK;
}

static const alloy_option options[] = {{.name = "schema"}, {.name = "array"}, {0}};

static const alloy_function hand_over = {.struct_size = sizeof(alloy_function),
                                         .name = "hand_over",
                                         .options = options,
                                         .min_inputs = 1,
                                         .max_inputs = 1,
                                         .bind = bind,
                                         .run = run};

static const alloy_function* const functions[] = {&hand_over, NULL};

static const alloy_backend backend = {.struct_size = sizeof(alloy_backend),
                                      .abi = ALLOY_ABI,
                                      .name = "test.hand_over",
                                      .version = "1.0.0",
                                      .language = "C",
                                      .functions = functions};

const alloy_backend* alloy_backend_init(const alloy_services* services,
                                        alloy_scope* scope) {
  (void)services;
  (void)scope;
  return &backend;
}
