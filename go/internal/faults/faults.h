// SPDX-License-Identifier: MIT
//
// The hand-made faulty batches of tests/faults, for the Go tests.
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

// A case by its number, those of schemas after those of arrays; the name is NULL at the
// end of each kind.
fault_case fault_array_case(int64_t i);
fault_case fault_schema_case(int64_t i);

// A tree, spoilt by a case unless its name is NULL.
void* fault_tree_new(const char* name);
void fault_tree_free(void* tree);

void* fault_tree_schema(void* tree);
void* fault_tree_array(void* tree);

// How often the root array was released, or -1 if any node was more than once.
int32_t fault_tree_releases(void* tree);

// What a host that is tidy does with a schema that it lent.
void fault_tree_release_schema(void* tree);

#ifdef __cplusplus
}
#endif

#endif  // ALLOY_GO_INTERNAL_FAULTS_H_
