// SPDX-License-Identifier: MIT
//
// The type Function of the binding: it runs a function of a bridge on batches, streams and
// columns.
#ifndef ALLOY_PYTHON_SRC_CALL_H_
#define ALLOY_PYTHON_SRC_CALL_H_

#include <memory>

#include "alloy/schema.hpp"
#include "bound_call.h"
#include "python.h"
#include "state.h"

namespace alloy::python {

struct FunctionObject {
  PyObject head;
  State* state;
  std::shared_ptr<FunctionCore> core;
  int64_t timeout_ns;              // 0: none
  std::unique_ptr<Schema> schema;  // of iterables; NULL: that of the first object
};

void AddFunctionType(PyObject* module, State& state);
// make_function(type, bridge, name, flags) and copy_function(function, timeout_ns, schema)
PyObject* MakeFunction(PyObject* module, PyObject* args);
PyObject* CopyFunction(PyObject* module, PyObject* args);
// run_columns(function, names, arrays, options): runs a map function on columns, which get
// the names, and returns the only column of the output, or all as an array of structs.
PyObject* RunColumns(PyObject* module, PyObject* args);
// progress_of(function): what its running calls, or its last one, have done, and the total
// or None.
PyObject* ProgressOf(PyObject* module, PyObject* function);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_CALL_H_
