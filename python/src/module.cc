// SPDX-License-Identifier: MIT
//
// The module alloy._alloy: what Python code cannot do. alloy/__init__.py is the API.
#include <mutex>

#include "bridge.h"
#include "call.h"
#include "data.h"
#include "errors.h"
#include "expressions.h"
#include "interrupt.h"
#include "schema_object.h"
#include "stream.h"
#include "threads.h"
#include "values.h"

namespace alloy::python {
namespace {

struct Slot {
  State* state;
};

PyObject* DescribeObject(PyObject* module, PyObject* object) {
  return Enter([&] {
    State& state = StateOf(module);
    const Input input = ImportArray(state, object, 0);
    return Unicode(Describe(state, *input.schema, *input.array).c_str());
  });
}

// as_batch(array): a Batch whose only column is the array, without a name. It is checked.
PyObject* AsBatch(PyObject* module, PyObject* object) {
  return Enter([&] {
    State& state = StateOf(module);
    Input input = ImportArray(state, object, 0);
    Describe(state, *input.schema, *input.array);
    auto held = std::make_shared<detail::Imported>();
    held->own_schema = std::move(input.schema);
    held->array = std::move(input.array);
    std::vector<Schema> column;
    column.push_back(Schema::Copy(*held->own_schema, "", true));
    const ArrowArray& array = *held->array;
    return NewBatch(state,
                    std::make_shared<const Schema>(Schema::Batch(std::move(column))),
                    detail::ShareArray(array, std::move(held), true));
  });
}

PyObject* MakeInt32(PyObject* module, PyObject* numbers) {
  return Enter([&] { return Int32Array(StateOf(module), numbers); });
}

PyObject* End(PyObject* module, PyObject*) {
  const Interpreter& interpreter = *StateOf(module).interpreter;
  StateOf(module).interpreter->End();
  if (PyInterpreterState_GetID(interpreter.get()) == 0) BeginEnd();
  return None().Release();
}

PyMethodDef functions[] = {
    {"make_host", &MakeHost, METH_VARARGS, nullptr},
    {"make_bridge", &MakeBridge, METH_VARARGS, nullptr},
    {"make_function", &MakeFunction, METH_VARARGS, nullptr},
    {"copy_function", &CopyFunction, METH_VARARGS, nullptr},
    {"progress_of", &ProgressOf, METH_O, nullptr},
    {"watch_stream", &WatchStream, METH_VARARGS, nullptr},
    {"stream_of", &StreamOfBatches, METH_VARARGS, nullptr},
    {"run_columns", &RunColumns, METH_VARARGS, nullptr},
    {"polars_expression", &PolarsExpression, METH_VARARGS, nullptr},
    {"inspect", &Inspect, METH_VARARGS, nullptr},
    {"link", &Link, METH_VARARGS, nullptr},
    {"describe", &DescribeObject, METH_O, nullptr},
    {"as_batch", &AsBatch, METH_O, nullptr},
    {"int32", &MakeInt32, METH_O, nullptr},
    {"_end", &End, METH_NOARGS, nullptr},
    {}};

int Execute(PyObject* module) {
  return Enter(-1, [&] {
    auto* slot = static_cast<Slot*>(PyModule_GetState(module));
    slot->state = new State();
    State& state = *slot->state;
    InitThreads();
    static std::once_flag once;
    std::call_once(once, &InitInterrupts);
    state.arrow_c_array = Ref::Own(PyUnicode_InternFromString("__arrow_c_array__"));
    state.arrow_c_stream = Ref::Own(PyUnicode_InternFromString("__arrow_c_stream__"));
    state.arrow_c_schema = Ref::Own(PyUnicode_InternFromString("__arrow_c_schema__"));
    AddSchemaTypes(module, state);
    AddDataTypes(module, state);
    AddBridgeTypes(module, state);
    AddFunctionType(module, state);
    AddStreamType(module, state);
    Check(PyModule_AddStringConstant(module, "version", alloy_version()));
    const Ref atexit = Ref::Own(PyImport_ImportModule("atexit"));
    const Ref end = Ref::Own(PyObject_GetAttrString(module, "_end"));
    Ref::Own(PyObject_CallMethod(atexit.get(), "register", "O", end.get()));
    return 0;
  });
}

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(&Execute)}, {0, nullptr}, {0, nullptr}, {}};
// The state itself is never freed: objects that outlive the module still refer to it.
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "alloy._alloy",
                          .m_doc = nullptr,
                          .m_size = sizeof(Slot),
                          .m_methods = functions,
                          .m_slots = slots,
                          .m_traverse = nullptr,
                          .m_clear = nullptr,
                          .m_free = nullptr};

}  // namespace

State& StateOf(PyObject* module) {
  return *static_cast<Slot*>(PyModule_GetState(module))->state;
}

}  // namespace alloy::python

// NOLINTNEXTLINE(bugprone-reserved-identifier): CPython calls it
PyMODINIT_FUNC PyInit__alloy() {
  // Slots that an older interpreter does not know must not be passed to it.
  if (Py_Version >= 0x030C0000) {
    constexpr int kMultipleInterpreters = 3;
    alloy::python::slots[1] = {kMultipleInterpreters, reinterpret_cast<void*>(2)};
  }
  return PyModuleDef_Init(&alloy::python::definition);
}
