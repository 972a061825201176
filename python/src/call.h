// SPDX-License-Identifier: MIT
//
// The type Function of the binding: a function of a bridge, with the calls that are bound
// and idle, and those that run.
#ifndef ALLOY_PYTHON_SRC_CALL_H_
#define ALLOY_PYTHON_SRC_CALL_H_

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "bridge.h"
#include "capsules.h"
#include "data.h"

namespace alloy::python {

class SharedCalls;

// A function that is bound to schemas and options.
struct BoundCall {
  std::shared_ptr<BridgeHandle> bridge;  // outlives the call
  std::unique_ptr<alloy_call, FreeEngineObject> call;
  SharedSchema output;
  std::string key;
  uint64_t generation = 0;
  uint64_t ticket = 0;
  const void* owner = nullptr;  // the Function whose call runs, to find its progress
};

// What all copies of a Function share. Needs the GIL.
struct FunctionCore {
  // Calls that other engines make, with what owns them.
  struct Shared {
    std::weak_ptr<const void> owner;
    SharedCalls* calls;
  };
  std::shared_ptr<BridgeHandle> bridge;
  std::string name;
  bool is_stream = false;
  bool is_idempotent = false;
  std::list<std::unique_ptr<BoundCall>> idle;  // the last used first
  std::vector<std::weak_ptr<BoundCall>> running;
  std::vector<Shared> shared;
};

struct FunctionObject {
  PyObject head;
  State* state;
  std::shared_ptr<FunctionCore> core;
  int64_t timeout_ns;              // 0: none
  std::unique_ptr<Schema> schema;  // of iterables; NULL: that of the first object
};

// The options of a call as the engine takes them.
struct CallOptions {
  std::vector<std::string> texts;
  std::vector<const char*> pointers;
};

CallOptions OptionsOf(PyObject* keywords);

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

std::unique_ptr<BoundCall> Bind(State& state, FunctionCore& core,
                                const std::vector<Input>& inputs,
                                const CallOptions& options, bool may_be_idle);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_CALL_H_
