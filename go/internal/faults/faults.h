// SPDX-License-Identifier: MIT
//
// The faulty batches of tests/faults, for the Go tests.
#ifndef ALLOY_GO_INTERNAL_FAULTS_H_
#define ALLOY_GO_INTERNAL_FAULTS_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fault_case {
  const char* name;
  int32_t reason;
  int32_t column;
  uint32_t level;
} fault_case;

// Return a case by its number, of arrays or of schemas. After the last case the name is NULL.
fault_case fault_array_case(int64_t i);
fault_case fault_schema_case(int64_t i);

// Make a tree with the fault of a case. If the name is NULL, the tree is valid.
void* fault_tree_new(const char* name);
void fault_tree_free(void* tree);

void* fault_tree_schema(void* tree);
void* fault_tree_array(void* tree);

// Return how often the root array was released; -1 if any node was released twice.
int32_t fault_tree_releases(void* tree);

// Release the schema, as the host that lent it does.
void fault_tree_release_schema(void* tree);

#ifdef __cplusplus
}
#endif

#endif  // ALLOY_GO_INTERNAL_FAULTS_H_
