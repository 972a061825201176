// SPDX-License-Identifier: MIT
//
// Function `pages`: where the values of its column lie. A row of output is the inode of the
// mapped file and the offset in it, so that two processes can compare physical pages.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloy/backend_c.h"

// The inode and the offset in the file of a mapped address; 0, 0: it is in no file.
static void Find(const void* address, int64_t* inode, int64_t* offset) {
  *inode = *offset = 0;
  FILE* maps = fopen("/proc/self/maps", "r");
  if (maps == NULL) return;
  char line[512];
  while (fgets(line, sizeof(line), maps) != NULL) {
    uintptr_t begin = 0, end = 0;
    uint64_t from = 0, number = 0;
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %" SCNx64 " %*s %" SCNu64, &begin,
               &end, &from, &number) == 4 &&
        (uintptr_t)address >= begin && (uintptr_t)address < end) {
      *inode = (int64_t)number;
      *offset = (int64_t)(from + ((uintptr_t)address - begin));
    }
  }
  fclose(maps);
}

static const alloy_column columns[] = {{"x", NULL, "l"}, {0}};
static const alloy_column* const reads[] = {columns, NULL};
static const alloy_field outputs[] = {
    {"inode", "l", 0}, {"offset", "l", 0}, {"sum", "l", 0}, {0}};

static alloy_code run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                      int32_t n_inputs, struct ArrowArray* output) {
  const struct ArrowArray* x = inputs[0].children[0];
  (void)state;
  (void)n_inputs;
  const alloy_code code = alloy_batch_make(scope, outputs, 1, output);
  if (code != ALLOY_OK) return code;
  int64_t* sum = alloy_values(output->children[2]);
  const int64_t* values = (const int64_t*)x->buffers[1] + x->offset;
  *sum = 0;
  for (int64_t row = 0; row < x->length; ++row) *sum += values[row];
  Find(values, alloy_values(output->children[0]), alloy_values(output->children[1]));
  return ALLOY_OK;
}

static const alloy_function pages = {.struct_size = sizeof(alloy_function),
                                     .name = "pages",
                                     .self = (void*)outputs,
                                     .min_inputs = 1,
                                     .max_inputs = 1,
                                     .columns = reads,
                                     .bind = alloy_bind_fields,
                                     .run = run};

ALLOY_C_BACKEND("test.pages", "1.0.0", &pages)
