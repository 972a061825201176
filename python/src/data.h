// SPDX-License-Identifier: MIT
//
// The types Array and Batch: data that Alloy made, as objects which any Arrow library takes
// through the PyCapsule protocol.
#ifndef ALLOY_PYTHON_SRC_DATA_H_
#define ALLOY_PYTHON_SRC_DATA_H_

#include <string>

#include "alloy/owned.hpp"
#include "python.h"
#include "schema_object.h"
#include "state.h"

namespace alloy::python {

// Well-formed data that somebody keeps alive. It refers to no Python object, so any thread
// may release it at any time.
struct Data {
  const ArrowSchema* schema;
  const ArrowArray* array;
  Keeper keeper;
};

struct DataObject {
  PyObject head;
  State* state;
  Data data;
};

// Add the types to the module.
void AddDataTypes(PyObject* module, State& state);

Ref NewArray(State& state, Data data);
Ref NewBatch(State& state, Data data);
// Takes array, which has passed the gate.
Ref NewBatch(State& state, SharedSchema schema, OwnedArray array);

// `Int32[1, 2, null]`; a batch is `{name: …, name: …}`.
std::string Describe(State& state, const ArrowSchema& schema, const ArrowArray& array);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_DATA_H_
