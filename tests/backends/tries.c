// SPDX-License-Identifier: MIT
//
// Fails a number of times, over all processes: each try is a byte of a file that they share.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloy/backend_c.h"

static const alloy_field kFields[] = {{"x", "l", 0}, {0}};

struct tries {
  alloy_code code;
  int64_t failures;
  char path[4096];
};

static alloy_code Bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                       int32_t n_inputs, const char* const* values,
                       struct ArrowSchema* output, void** state) {
  (void)self;
  (void)inputs;
  (void)n_inputs;
  struct tries* made = calloc(1, sizeof(*made));
  if (made == NULL || strlen(values[0]) >= sizeof(made->path)) {
    free(made);
    return alloy_fail(scope, ALLOY_INVALID, "no room for the path");
  }
  memcpy(made->path, values[0], strlen(values[0]));
  made->failures = atoll(values[1]);
  made->code = strcmp(values[2], "retry") == 0 ? ALLOY_RETRY : ALLOY_FAILED;
  *state = made;
  return alloy_schema_make(scope, kFields, output);
}

static alloy_code Run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                      int32_t n_inputs, struct ArrowArray* output) {
  (void)n_inputs;
  const struct tries* self = state;
  const int file = open(self->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  struct stat found;
  if (file < 0 || write(file, "x", 1) != 1 || fstat(file, &found) != 0) {
    return alloy_fail(scope, ALLOY_INVALID, "cannot count in the file");
  }
  close(file);
  if (found.st_size <= self->failures) {
    return alloy_fail(scope, self->code, "not this time");
  }
  const int64_t rows = inputs[0].length;
  const alloy_code code = alloy_batch_make(scope, kFields, rows, output);
  if (code != ALLOY_OK) return code;
  int64_t* doubled = alloy_values(output->children[0]);
  for (int64_t row = 0; row < rows; ++row) {
    doubled[row] = 2 * alloy_int64_at(inputs[0].children[0], row);
  }
  return ALLOY_OK;
}

static const alloy_option kOptions[] = {{"path", "the file of the tries", NULL},
                                        {"failures", "how many tries fail", "2"},
                                        {"how", "retry or failed", "retry"},
                                        {0}};
static const alloy_column kColumns[] = {{"x", "a number", "l"}, {0}};
static const alloy_column* const kInputs[] = {kColumns, NULL};
static const alloy_function kTry = {.struct_size = sizeof(alloy_function),
                                    .name = "try_it",
                                    .summary = "doubles x, after some failures",
                                    .options = kOptions,
                                    .columns = kInputs,
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .bind = Bind,
                                    .run = Run,
                                    .unbind = free};
static const alloy_function* const kFunctions[] = {&kTry, NULL};
static const alloy_backend kBackend = {.struct_size = sizeof(alloy_backend),
                                       .abi = ALLOY_ABI,
                                       .name = "test.tries",
                                       .version = "1.0.0",
                                       .language = "C",
                                       .functions = kFunctions};

ALLOY_EXPORT const alloy_backend* alloy_backend_init(const alloy_services* services,
                                                     alloy_scope* scope) {
  (void)services;
  (void)scope;
  return &kBackend;
}
