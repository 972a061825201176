// SPDX-License-Identifier: MIT
// A library with every table that a loader reads, and nothing that runs before it is called.
#include <math.h>
#include <stdlib.h>

const void* alloy_backend_init(const void* services, void* scope);

static __thread int calls = 3;
static const char* const kWords[] = {"one", "two", "three", "four", "five"};
static double (*const kFunctions[])(double) = {sin, cos, lgamma};

const void* alloy_backend_init(const void* services, void* scope) {
  const size_t i = (size_t)++calls;
  if (scope == NULL) return NULL;
  return kFunctions[i % 3]((double)i) > 0 ? malloc(i) : (const void*)kWords[i % 5];
}
