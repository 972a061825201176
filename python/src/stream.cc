// SPDX-License-Identifier: MIT
#include "stream.h"

#include <cerrno>

#include "errors.h"
#include "interrupt.h"
#include "source.h"
#include "threads.h"

namespace alloy::python {
namespace {

// An open stream. It refers to no Python object except through its sources.
struct StreamCore {
  std::shared_ptr<BoundCall> bound;  // outlives the stream
  OwnedArrayStream stream;
  std::vector<std::shared_ptr<Source>> sources;
  uint32_t process = 0;
  bool idempotent = false;
  std::string text;  // of the last error

  // Cancelled by Ctrl-C on the main thread.
  int Next(ArrowArray* out) {
    if (process != ForkGeneration()) {
      text = "[ALLOY CLOSED caller] the stream was opened before a fork; open another";
      return ECANCELED;
    }
    const InterruptGuard guard(bound->call.get(), bound->ticket);
    return stream->get_next(stream.get(), out);
  }
};

struct StreamObject {
  PyObject head;
  State* state;
  std::shared_ptr<StreamCore> core;  // NULL: closed, or given away
  SharedSchema schema;
  bool in_use;
  Ref watcher;  // called with (done, total) after each batch; empty: nobody
};
StreamObject* AsStream(PyObject* self) { return reinterpret_cast<StreamObject*>(self); }

// ---- The stream as another library sees it

StreamCore& Of(ArrowArrayStream* stream) {
  return **static_cast<std::shared_ptr<StreamCore>*>(stream->private_data);
}
int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) noexcept {
  try {
    Schema::Copy(**Of(stream).bound->output).MoveTo(out);
    return 0;
  } catch (...) {
    return ENOMEM;
  }
}
int GetNext(ArrowArrayStream* stream, ArrowArray* out) noexcept {
  try {
    return Of(stream).Next(out);
  } catch (...) {
    return ENOMEM;
  }
}
const char* GetLastError(ArrowArrayStream* stream) noexcept {
  StreamCore& core = Of(stream);
  try {
    alloy_error error;
    if (core.text.empty() && alloy_stream_error(core.stream.get(), &error) != ALLOY_OK) {
      core.text = ErrorText(error);
    }
  } catch (...) {
    return "out of memory";
  }
  return core.text.empty() ? nullptr : core.text.c_str();
}
void Release(ArrowArrayStream* stream) noexcept {
  delete static_cast<std::shared_ptr<StreamCore>*>(stream->private_data);
  stream->release = nullptr;
}

// ---- The stream as Python sees it

void FreeStream(PyObject* self) {
  FreeObject(self, [self] {
    std::destroy_at(&AsStream(self)->core);
    std::destroy_at(&AsStream(self)->schema);
    std::destroy_at(&AsStream(self)->watcher);
  });
}

StreamCore& CoreOf(StreamObject* self) {
  if (self->core == nullptr) {
    RaiseError(*self->state, ALLOY_CLOSED,
               "the stream is closed, or was given to another reader; a stream is read "
               "once, so open another");
  }
  if (self->in_use) {
    RaiseError(*self->state, ALLOY_BUSY, "another thread reads the stream");
  }
  if (self->core->process != ForkGeneration()) {
    RaiseError(*self->state, ALLOY_CLOSED,
               "the stream was opened before a fork; open another in this process");
  }
  return *self->core;
}

[[noreturn]] void RaiseFailure(StreamObject* self, StreamCore& core) {
  for (const auto& source : core.sources) {
    const Ref exception = source->exception();
    if (!exception) continue;
    // The same object, whatever the backend made of it.
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())),
                    exception.get());
    throw Raised();
  }
  alloy_error error;
  alloy_stream_error(core.stream.get(), &error);
  RaiseError(*self->state, error, core.idempotent);
}

Ref ProgressOfCore(const StreamCore& core) {
  int64_t done = 0, total = 0;
  alloy_call_progress(core.bound->call.get(), &done, &total);
  const Ref whole = total == 0 ? None() : Ref::Own(PyLong_FromLongLong(total));
  return Ref::Own(Py_BuildValue("(LO)", static_cast<long long>(done), whole.get()));
}

PyObject* Next(PyObject* object) {
  return Enter([&] {
    StreamObject* self = AsStream(object);
    self->state->interpreter->DropNow();
    StreamCore& core = CoreOf(self);
    const std::shared_ptr<StreamCore> keep = self->core;
    OwnedArray batch;
    int number = 0;
    self->in_use = true;
    {
      const NoGil no_gil(*self->state->interpreter);
      number = core.Next(batch.get());
    }
    self->in_use = false;
    if (number != 0) RaiseFailure(self, core);
    if (self->watcher) {
      const Ref progress = ProgressOfCore(core);
      const Ref watcher = Ref::Share(self->watcher.get());
      Ref::Own(PyObject_CallObject(watcher.get(), progress.get()));
    }
    if (!batch) return Ref();
    return NewBatch(*self->state, self->schema, std::move(batch));
  });
}

PyObject* Export(PyObject* object, PyObject* args, PyObject* options) {
  return Enter([&] {
    StreamObject* self = AsStream(object);
    CheckRequest(*self->state, **self->schema, RequestedSchema(args, options));
    CoreOf(self);
    OwnedArrayStream stream;
    *stream = {.get_schema = &GetSchema,
               .get_next = &GetNext,
               .get_last_error = &GetLastError,
               .release = &Release,
               .private_data = new std::shared_ptr<StreamCore>(std::move(self->core))};
    return StreamCapsule(std::move(stream));
  });
}

PyObject* ExportSchema(PyObject* self, PyObject*) {
  return Enter([&] { return SchemaCapsule(**AsStream(self)->schema); });
}

PyObject* Close(PyObject* object, PyObject*) {
  return Enter([&] {
    StreamObject* self = AsStream(object);
    if (self->in_use)
      RaiseError(*self->state, ALLOY_BUSY, "another thread reads the stream");
    const std::shared_ptr<StreamCore> core = std::move(self->core);
    return None();
  });
}

PyObject* Enter_(PyObject* self, PyObject*) { return Ref::Share(self).Release(); }

PyObject* Progress(PyObject* object, void*) {
  return Enter([&] {
    const std::shared_ptr<StreamCore> core = AsStream(object)->core;
    if (core != nullptr) return ProgressOfCore(*core);
    return Ref::Own(Py_BuildValue("(iO)", 0, Py_None));
  });
}

PyObject* SchemaOf(PyObject* self, void*) {
  return Enter([&] {
    const SharedSchema& schema = AsStream(self)->schema;
    return NewSchema(*AsStream(self)->state, {schema->get(), schema});
  });
}

PyObject* RefuseToPickle(PyObject*, PyObject*) {
  PyErr_SetString(
      PyExc_TypeError,
      "a Stream does not pickle; read it with pa.table(stream), and pickle that");
  return nullptr;
}

PyMethodDef methods[] = {
    {"__arrow_c_stream__", WithKeywords(&Export), METH_VARARGS | METH_KEYWORDS,
     "Give the stream away as a capsule. It works once, then raises ClosedError."},
    {"__arrow_c_schema__", &ExportSchema, METH_NOARGS, "Return a capsule of the schema."},
    {"close", &Close, METH_NOARGS, "Close the stream and what it reads."},
    {"__enter__", &Enter_, METH_NOARGS, nullptr},
    {"__exit__", &Close, METH_VARARGS, nullptr},
    {"__reduce__", &RefuseToPickle, METH_NOARGS, nullptr},
    {}};
PyGetSetDef members[] = {
    {"schema", &SchemaOf, nullptr, "The columns of each batch.", nullptr},
    {"progress", &Progress, nullptr, "What is done, and the total or None.", nullptr},
    {}};
PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>("A lazy result: an iterator of Batch, read once.")},
    {Py_tp_dealloc, reinterpret_cast<void*>(&FreeStream)},
    {Py_tp_iter, reinterpret_cast<void*>(&PyObject_SelfIter)},
    {Py_tp_iternext, reinterpret_cast<void*>(&Next)},
    {Py_tp_methods, methods},
    {Py_tp_getset, members},
    {}};

}  // namespace

void AddStreamType(PyObject* module, State& state) {
  state.stream = AddType<StreamObject>(module, "alloy._alloy.Stream", slots);
}

Ref OpenStream(State& state, const std::shared_ptr<BoundCall>& bound,
               std::vector<Input> inputs, int64_t timeout_ns, bool idempotent) {
  auto core = std::make_shared<StreamCore>();
  core->bound = bound;
  core->process = ForkGeneration();
  core->idempotent = idempotent;
  std::vector<OwnedArrayStream> streams;
  for (Input& input : inputs) {
    if (input.source != nullptr) core->sources.push_back(input.source);
    if (input.is_batch()) {
      const auto at = static_cast<int32_t>(streams.size());
      streams.push_back(StreamOf(state, *input.schema, input.array.get(), 1, at));
    } else {
      streams.push_back(std::move(input.stream));
    }
  }
  std::vector<ArrowArrayStream> raw;
  raw.reserve(streams.size());
  for (OwnedArrayStream& stream : streams) raw.push_back(stream.Detach());
  alloy_error error;
  alloy_code code = ALLOY_OK;
  {
    const uint64_t ticket = ++bound->ticket;
    const InterruptGuard guard(bound->call.get(), ticket);
    const NoGil no_gil(*state.interpreter);
    code =
        alloy_call_stream(bound->call.get(), raw.data(), static_cast<int32_t>(raw.size()),
                          core->stream.get(), timeout_ns, ticket, &error);
  }
  CheckCode(state, code, error, idempotent);
  auto* made = Allocate<StreamObject>(state.type(state.stream));
  made->state = &state;
  new (&made->core) std::shared_ptr<StreamCore>(std::move(core));
  new (&made->schema) SharedSchema(bound->output);
  new (&made->watcher) Ref();
  return Ref::Own(reinterpret_cast<PyObject*>(made));
}

PyObject* WatchStream(PyObject* module, PyObject* args) {
  return Enter([&] {
    PyObject *stream = nullptr, *watcher = nullptr;
    if (PyArg_ParseTuple(args, "O!O", StateOf(module).stream.get(), &stream, &watcher) ==
        0) {
      throw Raised();
    }
    AsStream(stream)->watcher = Ref::Share(watcher);
    return None();
  });
}

PyObject* StreamOfBatches(PyObject* module, PyObject* args) {
  return Enter([&] {
    State& state = StateOf(module);
    PyObject *list = nullptr, *schema = nullptr, *requested = nullptr;
    if (PyArg_ParseTuple(args, "O!O!O", &PyList_Type, &list, state.schema.get(), &schema,
                         &requested) == 0) {
      throw Raised();
    }
    CheckRequest(state, *reinterpret_cast<SchemaObject*>(schema)->view.schema, requested);
    std::vector<OwnedArray> batches;
    for (Py_ssize_t i = 0; i < PyList_Size(list); ++i) {
      PyObject* item = PyList_GetItem(list, i);
      if (!state.Is(item, state.batch)) Raise(PyExc_TypeError, "not a Batch");
      const Data& data = reinterpret_cast<DataObject*>(item)->data;
      batches.push_back(detail::ShareArray(*data.array, data.keeper, false));
    }
    static_assert(sizeof(OwnedArray) == sizeof(ArrowArray));
    return StreamCapsule(StreamOf(state,
                                  *reinterpret_cast<SchemaObject*>(schema)->view.schema,
                                  batches.empty() ? nullptr : batches[0].get(),
                                  static_cast<int64_t>(batches.size())));
  });
}

}  // namespace alloy::python
