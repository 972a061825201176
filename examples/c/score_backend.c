// SPDX-License-Identifier: MIT
#include "alloy/backend_c.h"

static const alloy_column columns[] = {{"x", NULL, "g"}, {"y", NULL, "l"}, {0}};
static const alloy_column* const reads[] = {columns, NULL};
static const alloy_field outputs[] = {{"score", "g", ARROW_FLAG_NULLABLE}, {0}};

// score = x * y; null where x or y is null.
static alloy_code run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                      int32_t n_inputs, struct ArrowArray* output) {
  const struct ArrowArray* x = inputs[0].children[0];
  const struct ArrowArray* y = inputs[0].children[1];
  (void)state;
  (void)n_inputs;
  const alloy_code code = alloy_batch_make(scope, outputs, inputs[0].length, output);
  if (code != ALLOY_OK) return code;
  double* scores = alloy_values(output->children[0]);
  for (int64_t row = 0; row < inputs[0].length; ++row) {
    if (alloy_is_null(x, row) || alloy_is_null(y, row)) {
      alloy_set_null(output->children[0], row);
    } else {
      scores[row] = alloy_double_at(x, row) * (double)alloy_int64_at(y, row);
    }
  }
  return ALLOY_OK;
}

static const alloy_function score = {.struct_size = sizeof(alloy_function),
                                     .flags = ALLOY_ROWWISE,
                                     .name = "score",
                                     .self = (void*)outputs,
                                     .min_inputs = 1,
                                     .max_inputs = 1,
                                     .columns = reads,
                                     .bind = alloy_bind_fields,
                                     .run = run};

ALLOY_C_BACKEND("acme.score", "0.1.0", &score)
