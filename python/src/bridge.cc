// SPDX-License-Identifier: MIT
#include "bridge.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "errors.h"
#include "threads.h"

namespace alloy::python {
namespace {

HostObject* AsHost(PyObject* self) { return reinterpret_cast<HostObject*>(self); }
BridgeObject* AsBridge(PyObject* self) { return reinterpret_cast<BridgeObject*>(self); }

void Parse(int parsed) {
  if (parsed == 0) throw Raised();
}

void FreeHost(PyObject* self) {
  FreeObject(self, [self] { std::destroy_at(&AsHost(self)->handle); });
}
void FreeBridge(PyObject* self) {
  FreeObject(self, [self] { std::destroy_at(&AsBridge(self)->handle); });
}

PyObject* WriteLine(PyObject* self, PyObject* args) {
  return Enter([&] {
    const char* text = nullptr;
    Parse(PyArg_ParseTuple(args, "s", &text));
    {
      const NoGil no_gil(*AsHost(self)->state->interpreter);
      alloy_host_log(AsHost(self)->handle->host.get(), ALLOY_LOG_INFO, text, -1);
    }
    return None();
  });
}

// Text of the engine of any length: `get` is called until it fits.
template <typename Get>
std::string WholeText(State& state, Get get) {
  std::string text(4096, '\0');
  for (;;) {
    int64_t length = 0;
    alloy_error error;
    alloy_code code = ALLOY_OK;
    {
      const NoGil no_gil(*state.interpreter);
      code = get(text.data(), static_cast<int64_t>(text.size()), &length, &error);
    }
    CheckCode(state, code, error);
    const auto size = static_cast<size_t>(length);
    const bool fits = size < text.size();
    text.resize(fits ? size : size + 1);
    if (fits) return text;
  }
}

PyObject* Load(PyObject* self, PyObject* args) {
  return Enter([&] {
    const char *library = nullptr, *certificate = nullptr;
    Parse(PyArg_ParseTuple(args, "sz", &library, &certificate));
    State& state = *AsBridge(self)->state;
    const std::shared_ptr<BridgeHandle> handle = AsBridge(self)->handle;
    alloy_error error;
    alloy_code code = ALLOY_OK;
    {
      const NoGil no_gil(*state.interpreter);
      code = alloy_bridge_load(handle->bridge.get(), library, certificate, &error);
    }
    handle->generation.fetch_add(1, std::memory_order_acq_rel);
    CheckCode(state, code, error);
    return None();
  });
}

PyObject* Close(PyObject* self, PyObject*) {
  return Enter([&] {
    {
      const NoGil no_gil(*AsBridge(self)->state->interpreter);
      alloy_bridge_close(AsBridge(self)->handle->bridge.get());
    }
    AsBridge(self)->handle->closed.store(true);
    AsBridge(self)->handle->generation.fetch_add(1, std::memory_order_acq_rel);
    return None();
  });
}

PyObject* Identity(PyObject* self, PyObject*) {
  return Enter([&] {
    alloy_bridge* bridge = AsBridge(self)->handle->bridge.get();
    return Unicode(
        WholeText(*AsBridge(self)->state, [bridge](char* text, int64_t size,
                                                   int64_t* length, alloy_error* error) {
          return alloy_bridge_identity(bridge, text, size, length, error);
        }).c_str());
  });
}

void Append(const Ref& list, const Ref& item) {
  Check(PyList_Append(list.get(), item.get()));
}

Ref OptionsOf(const alloy_function& function) {
  Ref list = Ref::Own(PyList_New(0));
  for (const alloy_option* one = function.options; one != nullptr && one->name != nullptr;
       ++one) {
    Append(list,
           Ref::Own(Py_BuildValue("(szz)", one->name, one->summary, one->fallback)));
  }
  return list;
}

Ref InputsOf(const alloy_function& function) {
  Ref list = Ref::Own(PyList_New(0));
  for (const alloy_column* const* input = function.columns;
       input != nullptr && *input != nullptr; ++input) {
    const Ref columns = Ref::Own(PyList_New(0));
    for (const alloy_column* one = *input; one->name != nullptr; ++one) {
      Append(columns,
             Ref::Own(Py_BuildValue("(szz)", one->name, one->summary, one->accepts)));
    }
    Append(list, columns);
  }
  return list;
}

PyObject* Functions(PyObject* self, PyObject*) {
  return Enter([&] {
    State& state = *AsBridge(self)->state;
    const alloy_function* const* functions = nullptr;
    alloy_error error;
    CheckCode(
        state,
        alloy_bridge_functions(AsBridge(self)->handle->bridge.get(), &functions, &error),
        error);
    Ref list = Ref::Own(PyList_New(0));
    for (; *functions != nullptr; ++functions) {
      const alloy_function& one = **functions;
      const Ref options = OptionsOf(one), inputs = InputsOf(one);
      Append(list, Ref::Own(Py_BuildValue("(szOOIii)", one.name, one.summary,
                                          options.get(), inputs.get(), one.flags,
                                          one.min_inputs, one.max_inputs)));
    }
    return list;
  });
}

PyMethodDef host_methods[] = {{"info", &WriteLine, METH_VARARGS, nullptr}, {}};
PyType_Slot host_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(&FreeHost)},
                            {Py_tp_methods, host_methods},
                            {}};
PyMethodDef bridge_methods[] = {{"load", &Load, METH_VARARGS, nullptr},
                                {"close", &Close, METH_NOARGS, nullptr},
                                {"identity", &Identity, METH_NOARGS, nullptr},
                                {"functions", &Functions, METH_NOARGS, nullptr},
                                {}};
PyType_Slot bridge_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(&FreeBridge)},
                              {Py_tp_methods, bridge_methods},
                              {}};

}  // namespace

HostHandle::~HostHandle() {
  host.reset();
  if (own_fd >= 0) close(own_fd);
}

void AddBridgeTypes(PyObject* module, State& state) {
  state.host = AddType<HostObject>(module, "alloy._alloy.Host", host_slots);
  state.bridge = AddType<BridgeObject>(module, "alloy._alloy.Bridge", bridge_slots);
}

PyObject* MakeHost(PyObject* module, PyObject* args) {
  return Enter([&] {
    State& state = StateOf(module);
    unsigned flags = 0;
    int mode = 0, fd = 0, owns_fd = 0;
    PyObject* needs = nullptr;
    const char* worker = nullptr;
    Parse(
        PyArg_ParseTuple(args, "IOziip", &flags, &needs, &worker, &mode, &fd, &owns_fd));
    auto handle = std::make_shared<HostHandle>();
    if (owns_fd != 0) handle->own_fd = fd;
    std::vector<std::string> texts;
    const Py_ssize_t size = Check(static_cast<int>(PySequence_Size(needs)));
    for (Py_ssize_t i = 0; i < size; ++i) {
      const Ref item = Ref::Own(PySequence_GetItem(needs, i));
      texts.push_back(Text(item.get(), "an entry of may_need"));
    }
    std::vector<const char*> may_need;
    may_need.reserve(texts.size() + 1);
    for (const std::string& text : texts) may_need.push_back(text.c_str());
    may_need.push_back(nullptr);
    alloy_host_options options{};
    options.struct_size = sizeof(options);
    options.flags = flags;
    options.worker = worker;
    options.may_need = may_need.data();
    options.language = "Python";
    options.log_mode = mode;
    options.log_fd = fd;
    alloy_host* host = nullptr;
    alloy_error error;
    CheckCode(state, alloy_host_new(&options, &host, &error), error);
    handle->host.reset(host);
    auto* made = Allocate<HostObject>(state.type(state.host));
    made->state = &state;
    new (&made->handle) std::shared_ptr<HostHandle>(std::move(handle));
    return Ref::Own(reinterpret_cast<PyObject*>(made));
  });
}

PyObject* MakeBridge(PyObject* module, PyObject* args) {
  return Enter([&] {
    State& state = StateOf(module);
    alloy_bridge_options options{};
    options.struct_size = sizeof(options);
    PyObject* host = nullptr;
    unsigned long long sequence = 0;
    long long input = 0, output = 0, heap = 0, grace = 0;
    Parse(PyArg_ParseTuple(args, "O!IIIILLLLIzKzz", state.host.get(), &host,
                           &options.isolated, &options.check_inputs,
                           &options.check_results, &options.max_workers, &input, &output,
                           &heap, &grace, &options.setup_ms, &options.name, &sequence,
                           &options.sidecar, &options.sha256));
    options.input_bytes = input;
    options.output_bytes = output;
    options.heap_bytes = heap;
    options.grace_ns = grace;
    options.min_sequence = sequence;
    auto handle = std::make_shared<BridgeHandle>();
    handle->host = AsHost(host)->handle;
    alloy_bridge* bridge = nullptr;
    alloy_error error;
    alloy_code code = ALLOY_OK;
    {
      const NoGil no_gil(*state.interpreter);
      code = alloy_bridge_new(handle->host->host.get(), &options, &bridge, &error);
    }
    CheckCode(state, code, error);
    handle->bridge.reset(bridge);
    auto* made = Allocate<BridgeObject>(state.type(state.bridge));
    made->state = &state;
    new (&made->handle) std::shared_ptr<BridgeHandle>(std::move(handle));
    return Ref::Own(reinterpret_cast<PyObject*>(made));
  });
}

PyObject* Inspect(PyObject* module, PyObject* args) {
  return Enter([&] {
    State& state = StateOf(module);
    PyObject* host = nullptr;
    const char *library = nullptr, *certificate = nullptr;
    Parse(
        PyArg_ParseTuple(args, "O!sz", state.host.get(), &host, &library, &certificate));
    return Unicode(WholeText(state, [&](char* text, int64_t size, int64_t* length,
                                        alloy_error* error) {
                     return alloy_inspect(AsHost(host)->handle->host.get(), library,
                                          certificate, text, size, length, error);
                   }).c_str());
  });
}

PyObject* Link(PyObject* module, PyObject* args) {
  return Enter([&] {
    const char *archive = nullptr, *library = nullptr;
    Parse(PyArg_ParseTuple(args, "ss", &archive, &library));
    alloy_error error;
    alloy_code code = ALLOY_OK;
    {
      const NoGil no_gil(*StateOf(module).interpreter);
      code = alloy_link(archive, library, &error);
    }
    CheckCode(StateOf(module), code, error);
    return None();
  });
}

}  // namespace alloy::python
