// SPDX-License-Identifier: MIT
#include "call.h"

#include <algorithm>

#include "capsules.h"
#include "data.h"
#include "errors.h"
#include "foreign_schema.h"
#include "interrupt.h"
#include "series.h"
#include "shared_calls.h"
#include "stream.h"
#include "threads.h"

namespace alloy::python {
namespace {

FunctionObject* AsFunction(PyObject* self) {
  return reinterpret_cast<FunctionObject*>(self);
}

void FreeFunction(PyObject* self) {
  FreeObject(self, [self] {
    std::destroy_at(&AsFunction(self)->core);
    std::destroy_at(&AsFunction(self)->schema);
  });
}

std::vector<Input> InputsOf(FunctionObject* self, PyObject* args) {
  std::vector<Input> inputs;
  const Py_ssize_t n = PyTuple_Size(args);
  inputs.reserve(static_cast<size_t>(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    inputs.push_back(ImportInput(*self->state, PyTuple_GetItem(args, i),
                                 static_cast<int32_t>(i), self->schema.get()));
  }
  return inputs;
}

Ref RunMap(FunctionObject* self, std::vector<Input> inputs, const CallOptions& options) {
  State& state = *self->state;
  const std::shared_ptr<FunctionCore> core = self->core;
  std::shared_ptr<BoundCall> bound = Bind(state, *core, inputs, options, true);
  std::vector<ArrowArray> arrays;
  arrays.reserve(inputs.size());
  for (Input& input : inputs) arrays.push_back(input.array.Detach());
  ForgetEnded(*core);
  bound->owner = self;
  core->running.push_back(bound);
  OwnedArray output;
  alloy_error error;
  alloy_code code = ALLOY_OK;
  {
    const uint64_t ticket = ++bound->ticket;
    const InterruptGuard guard(bound->call.get(), ticket);
    const NoGil no_gil(*state.interpreter);
    code = alloy_call_run(bound->call.get(), arrays.data(), output.get(),
                          self->timeout_ns, ticket, &error);
  }
  const SharedSchema schema = bound->output;
  std::erase_if(core->running, [&](const auto& one) { return one.lock() == bound; });
  KeepIdle(*core, std::move(*bound));
  CheckCode(state, code, error, core->is_idempotent);
  return NewBatch(state, schema, std::move(output));
}

Ref Open(FunctionObject* self, std::vector<Input> inputs, const CallOptions& options) {
  const std::shared_ptr<BoundCall> bound =
      Bind(*self->state, *self->core, inputs, options, false);
  ForgetEnded(*self->core);
  bound->owner = self;
  self->core->running.push_back(bound);
  return OpenStream(*self->state, bound, std::move(inputs), self->timeout_ns,
                    self->core->is_idempotent);
}

PyObject* Call(PyObject* self, PyObject* args, PyObject* keywords) {
  return Enter([&] {
    FunctionObject* function = AsFunction(self);
    function->state->interpreter->DropNow();
    const CallOptions options = OptionsOf(keywords);
    std::vector<Input> inputs = InputsOf(function, args);
    const bool batches = std::all_of(inputs.begin(), inputs.end(),
                                     [](const Input& one) { return one.is_batch(); });
    if (batches && !function->core->is_stream) {
      return RunMap(function, std::move(inputs), options);
    }
    const Ref stream = Open(function, std::move(inputs), options);
    const Ref module = Ref::Own(PyImport_ImportModule("alloy._batches"));
    return Ref::Own(PyObject_CallMethod(module.get(), "collect", "O", stream.get()));
  });
}

PyObject* MakeStream(PyObject* self, PyObject* args, PyObject* keywords) {
  return Enter([&] {
    FunctionObject* function = AsFunction(self);
    function->state->interpreter->DropNow();
    const CallOptions options = OptionsOf(keywords);
    return Open(function, InputsOf(function, args), options);
  });
}

PyObject* Output(PyObject* self, PyObject* args, PyObject* keywords) {
  return Enter([&] {
    FunctionObject* function = AsFunction(self);
    std::vector<Input> inputs(static_cast<size_t>(PyTuple_Size(args)));
    for (size_t i = 0; i < inputs.size(); ++i) {
      PyObject* object = PyTuple_GetItem(args, static_cast<Py_ssize_t>(i));
      inputs[i].schema = ImportSchema(*function->state, object, static_cast<int32_t>(i));
    }
    const CallOptions options = OptionsOf(keywords);
    const auto bound = Bind(*function->state, *function->core, inputs, options, false);
    const ArrowSchema* schema = bound->output->get();
    return NewSchema(*function->state, {schema, bound->output});
  });
}

PyObject* Cancel(PyObject* self, PyObject*) {
  return Enter([&] {
    for (const auto& one : AsFunction(self)->core->running) {
      if (const auto bound = one.lock())
        alloy_call_cancel(bound->call.get(), bound->ticket);
    }
    for (const auto& one : AsFunction(self)->core->shared) {
      if (const auto owner = one.owner.lock()) one.calls->Cancel();
    }
    return None();
  });
}

constexpr int kKeywords = METH_VARARGS | METH_KEYWORDS;
PyMethodDef methods[] = {
    {"stream", WithKeywords(&MakeStream), kKeywords,
     "Run the function on streams and return a Stream. Nothing is read before the first "
     "batch is asked for."},
    {"output", WithKeywords(&Output), kKeywords,
     "Return the Schema of the output for these schemas. Nothing runs."},
    {"cancel", &Cancel, METH_NOARGS,
     "Cancel every call and stream of this function that is running, from any thread."},
    {}};
PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(&FreeFunction)},
                       {Py_tp_call, reinterpret_cast<void*>(&Call)},
                       {Py_tp_methods, methods},
                       {}};

Ref NewFunction(State& state, PyTypeObject* type, std::shared_ptr<FunctionCore> core) {
  auto* made = Allocate<FunctionObject>(type);
  made->state = &state;
  new (&made->core) std::shared_ptr<FunctionCore>(std::move(core));
  new (&made->schema) std::unique_ptr<Schema>();
  return Ref::Own(reinterpret_cast<PyObject*>(made));
}

}  // namespace

void AddFunctionType(PyObject* module, State& state) {
  PyType_Spec spec{"alloy._alloy.Function", sizeof(FunctionObject), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE |
                       Py_TPFLAGS_DISALLOW_INSTANTIATION,
                   slots};
  state.function = Ref::Own(PyType_FromModuleAndSpec(module, &spec, nullptr));
  Check(PyModule_AddType(module, state.type(state.function)));
}

PyObject* MakeFunction(PyObject* module, PyObject* args) {
  return Enter([&] {
    State& state = StateOf(module);
    PyObject *type = nullptr, *bridge = nullptr;
    const char* name = nullptr;
    unsigned flags = 0;
    if (PyArg_ParseTuple(args, "O!O!sI", &PyType_Type, &type, state.bridge.get(), &bridge,
                         &name, &flags) == 0) {
      throw Raised();
    }
    auto* python_type = reinterpret_cast<PyTypeObject*>(type);
    if (PyType_IsSubtype(python_type, state.type(state.function)) == 0) {
      Raise(PyExc_TypeError, "the type is not a Function");
    }
    auto core = std::make_shared<FunctionCore>();
    core->bridge = reinterpret_cast<BridgeObject*>(bridge)->handle;
    core->name = name;
    core->is_stream = (flags & ALLOY_STREAM) != 0;
    core->is_idempotent = (flags & ALLOY_IDEMPOTENT) != 0;
    return NewFunction(state, python_type, std::move(core));
  });
}

PyObject* RunColumns(PyObject* module, PyObject* args) {
  return Enter([&] {
    State& state = StateOf(module);
    PyObject *object = nullptr, *names = nullptr, *arrays = nullptr, *keywords = nullptr;
    if (PyArg_ParseTuple(args, "O!O!O!O!", state.function.get(), &object, &PyTuple_Type,
                         &names, &PyTuple_Type, &arrays, &PyDict_Type, &keywords) == 0) {
      throw Raised();
    }
    state.interpreter->DropNow();
    FunctionObject* function = AsFunction(object);
    const Py_ssize_t n = PyTuple_Size(names);
    std::vector<Schema> schemas;
    std::vector<OwnedArray> columns;
    for (Py_ssize_t i = 0; i < n; ++i) {
      const auto at = static_cast<int32_t>(i);
      Input given = ImportArray(state, PyTuple_GetItem(arrays, i), at);
      std::string key;
      if (!AppendKey(&key, *given.schema)) {
        Describe(state, *given.schema, *given.array);  // raises what is malformed
        RaiseError(state, ALLOY_BAD_DATA,
                   "the type of array " + std::to_string(i) + " is malformed");
      }
      const std::string name = Text(PyTuple_GetItem(names, i), "the name of a column");
      schemas.push_back(Schema::Copy(*given.schema, name, true));
      columns.push_back(std::move(given.array));
      const int64_t rows = columns.back()->length, first = columns[0]->length;
      if (rows != first) {
        RaiseError(state, ALLOY_INVALID,
                   "array " + std::to_string(i) + " has " + std::to_string(rows) +
                       " rows, but array 0 has " + std::to_string(first));
      }
    }
    std::vector<Input> inputs(1);
    inputs[0].schema = Schema::Batch(std::move(schemas));
    inputs[0].array = BatchOf(std::move(columns));
    const Ref batch = RunMap(function, std::move(inputs), OptionsOf(keywords));
    const Data& output = reinterpret_cast<DataObject*>(batch.get())->data;
    if (output.schema->n_children != 1) return NewArray(state, output);
    return NewArray(
        state, {output.schema->children[0], output.array->children[0], output.keeper});
  });
}

PyObject* ProgressOf(PyObject* module, PyObject* function) {
  return Enter([&] {
    if (!StateOf(module).Is(function, StateOf(module).function)) {
      Raise(PyExc_TypeError, "not a Function");
    }
    int64_t done = 0, total = 0;
    bool is_known = true, is_running = false;
    const auto add = [&](const BoundCall& bound) {
      int64_t its_done = 0, its_total = 0;
      alloy_call_progress(bound.call.get(), &its_done, &its_total);
      done += its_done;
      total += its_total;
      is_known = is_known && its_total > 0;
    };
    const FunctionCore& core = *AsFunction(function)->core;
    for (const auto& one : core.running) {
      const auto bound = one.lock();
      if (bound == nullptr || bound->owner != function) continue;
      is_running = true;
      add(*bound);
    }
    // After a call, what it reported last.
    if (!is_running && !core.idle.empty() && core.idle.front()->owner == function) {
      add(*core.idle.front());
    }
    const bool has_total = is_known && total > 0;
    const Ref whole = has_total ? Ref::Own(PyLong_FromLongLong(total)) : None();
    return Ref::Own(Py_BuildValue("(LO)", static_cast<long long>(done), whole.get()));
  });
}

PyObject* CopyFunction(PyObject* module, PyObject* args) {
  return Enter([&] {
    State& state = StateOf(module);
    PyObject *from = nullptr, *schema = nullptr;
    long long timeout_ns = 0;
    if (PyArg_ParseTuple(args, "O!LO", state.function.get(), &from, &timeout_ns,
                         &schema) == 0) {
      throw Raised();
    }
    Ref copy = NewFunction(state, Py_TYPE(from), AsFunction(from)->core);
    AsFunction(copy.get())->timeout_ns =
        timeout_ns < 0 ? AsFunction(from)->timeout_ns : timeout_ns;
    if (schema != Py_None) {
      AsFunction(copy.get())->schema =
          std::make_unique<Schema>(ImportSchema(state, schema));
    }
    return copy;
  });
}

}  // namespace alloy::python
