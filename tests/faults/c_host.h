// SPDX-License-Identifier: MIT
//
// A host in plain C, for tests. It uses only alloy.h.
//
// Threads  serial.
#ifndef ALLOY_TESTS_FAULTS_C_HOST_H_
#define ALLOY_TESTS_FAULTS_C_HOST_H_

#include "alloy/alloy.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct c_host {
  alloy_host* host;
  alloy_bridge* bridge;
  alloy_call* call;
} c_host;

// Open a library, with a level of the gate for each direction. Close it in any case, also
// after an error. `isolated` is that of alloy_bridge_options.
alloy_code c_host_open(c_host* self, const char* library, uint32_t check_inputs,
                       uint32_t check_results, uint32_t isolated, alloy_error* err);

// Bind a function to one schema. It replaces the function that was bound before.
alloy_code c_host_bind(c_host* self, const char* function,
                       const struct ArrowSchema* schema, const char* const* options,
                       alloy_error* err);

alloy_code c_host_run(c_host* self, struct ArrowArray* input, struct ArrowArray* output,
                      alloy_error* err);

void c_host_close(c_host* self);

#ifdef __cplusplus
}
#endif

#endif  // ALLOY_TESTS_FAULTS_C_HOST_H_
