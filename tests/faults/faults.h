// SPDX-License-Identifier: MIT
//
// The fault cases of the tests through C, for the tests of any language: malformed Arrow
// structs, and valid ones that are unusual. Each case is a batch with a column of every
// layout, broken in one place. The header states what Alloy must report for it.
//
// Build the target alloy_faults: it makes build/tests/liballoy_faults.so. In Python:
//
//   faults = ctypes.CDLL("build/tests/liballoy_faults.so")
//   for i in range(faults.fault_count()): ...
//
// Two things are to be tried with every case:
//
//   As an input   An array case: bind a function to fault_tree_schema of a valid tree, make
//                 a tree of the case, and pass its fault_tree_array. A schema case: bind to
//                 its fault_tree_schema. The side of the error is ALLOY_SIDE_CALLER, its
//                 input the number of the input.
//   As a result   Load the backend build/backends/tests/lie.so. It is called with any batch
//                 and the option `fault`, the name of the case. `lie` returns the array of
//                 an array case, `lie_in_schema` binds the schema of a schema case. The side
//                 of the error is ALLOY_SIDE_BACKEND, its input -1.
//
// After each, every struct must have been released at most once and an array that was given
// away exactly once (fault_tree_releases). The next call must succeed.
//
// Threads  serial for one tree; any thread may release.
#ifndef ALLOY_TESTS_FAULTS_FAULTS_H_
#define ALLOY_TESTS_FAULTS_FAULTS_H_

#include <stdint.h>

#include "alloy/arrow_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FAULT_ARRAY 0   // the array is broken, its schema is valid
#define FAULT_SCHEMA 1  // the schema is broken

#define FAULT_ANY_FORMAT (-1)  // reason: FORMAT_UNKNOWN or FORMAT_PARAMETER
#define FAULT_ANY_COLUMN (-2)  // column: not determined

typedef struct fault_case {
  const char* name;  // a C identifier, unique
  int32_t kind;
  int32_t code;    // what the call returns: ALLOY_OK or ALLOY_BAD_DATA
  int32_t reason;  // of alloy/reason.h; ALLOY_REASON_NONE if the case is valid
  int32_t column;  // in preorder; -1 is the batch
  uint32_t level;  // of the gate: this level and all above find the fault
} fault_case;

// The number of cases.
int64_t fault_count(void);

// The case at `index`; NULL if there are fewer. It is a constant.
const fault_case* fault_at(int64_t index);

typedef struct fault_tree fault_tree;

// A new tree, broken as the case of this name; NULL: valid. Returns NULL for an unknown name.
fault_tree* fault_tree_new(const char* name);

// Free a tree. All structs that were moved out of it must be released before.
void fault_tree_free(fault_tree* tree);

// The structs of the batch. Move the array out to give it away; lend or move the schema.
struct ArrowArray* fault_tree_array(fault_tree* tree);
struct ArrowSchema* fault_tree_schema(fault_tree* tree);

// Release the schema, as its owner does after it was lent.
void fault_tree_release_schema(fault_tree* tree);

// How often the array, and the schema, of the batch was released; -1 if any struct of the
// tree was released more than once.
int32_t fault_tree_releases(fault_tree* tree);
int32_t fault_tree_schema_releases(fault_tree* tree);

#ifdef __cplusplus
}
#endif

#endif  // ALLOY_TESTS_FAULTS_FAULTS_H_
