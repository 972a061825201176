// SPDX-License-Identifier: MIT
#include "bound_call.h"

#include <algorithm>

#include "errors.h"
#include "foreign_schema.h"
#include "threads.h"

namespace alloy::python {
namespace {

constexpr size_t kIdle = 8;

// bool, int, float or str, as the functions of backends read them.
std::string OptionText(PyObject* value, const std::string& name) {
  if (value == Py_True) return "true";
  if (value == Py_False) return "false";
  if (PyUnicode_Check(value) != 0) return Text(value, name.c_str());
  if (PyLong_Check(value) == 0 && PyFloat_Check(value) == 0) {
    Raise(PyExc_TypeError, "option " + name + " must be a str, bool, int or float");
  }
  const Ref text = Ref::Own(PyObject_Str(value));
  return Text(text.get(), name.c_str());
}

// Empty: a schema is malformed, so the engine must look at it.
std::string KeyOf(const std::vector<Input>& inputs, const CallOptions& options) {
  std::string key;
  for (const Input& input : inputs) {
    if (!AppendKey(&key, *input.schema)) return {};
  }
  for (const std::string& text : options.texts) key.append(text).push_back('\0');
  key.push_back('.');
  return key;
}

}  // namespace

CallOptions OptionsOf(PyObject* keywords) {
  CallOptions options;
  PyObject *key = nullptr, *value = nullptr;
  Py_ssize_t at = 0;
  while (keywords != nullptr && PyDict_Next(keywords, &at, &key, &value) != 0) {
    if (value == Py_None) continue;  // the default
    std::string name = Text(key, "the name of an option");
    std::string text = OptionText(value, name);
    options.texts.push_back(std::move(name));
    options.texts.push_back(std::move(text));
  }
  for (const std::string& text : options.texts) options.pointers.push_back(text.c_str());
  options.pointers.push_back(nullptr);
  return options;
}

std::unique_ptr<BoundCall> Bind(State& state, FunctionCore& core,
                                const std::vector<Input>& inputs,
                                const CallOptions& options, bool may_be_idle) {
  const uint64_t generation = core.bridge->generation.load(std::memory_order_acquire);
  std::string key = may_be_idle ? KeyOf(inputs, options) : std::string();
  std::erase_if(core.idle,
                [&](const auto& one) { return one->generation != generation; });
  const auto found = std::find_if(core.idle.begin(), core.idle.end(),
                                  [&](const auto& one) { return one->key == key; });
  if (may_be_idle && !key.empty() && found != core.idle.end()) {
    auto bound = std::move(*found);
    core.idle.erase(found);
    return bound;
  }
  std::vector<ArrowSchema> schemas;  // plain copies, borrowed
  schemas.reserve(inputs.size());
  for (const Input& input : inputs) schemas.push_back(*input.schema);
  auto bound = std::make_unique<BoundCall>();
  alloy_call* call = nullptr;
  alloy_error error;
  alloy_code code = ALLOY_OK;
  const std::shared_ptr<BridgeHandle> bridge = core.bridge;
  {
    const NoGil no_gil(*state.interpreter);
    code = alloy_call_bind(bridge->bridge.get(), core.name.c_str(), schemas.data(),
                           static_cast<int32_t>(schemas.size()), options.pointers.data(),
                           &call, &error);
  }
  CheckCode(state, code, error, core.is_idempotent);
  bound->bridge = bridge;
  bound->call.reset(call);
  bound->output = std::make_shared<const Schema>(Schema::Copy(*alloy_call_schema(call)));
  bound->key = std::move(key);
  bound->generation = generation;
  return bound;
}

void KeepIdle(FunctionCore& core, BoundCall&& bound) {
  if (bound.key.empty() || bound.generation != core.bridge->generation.load()) return;
  core.idle.push_front(std::make_unique<BoundCall>(std::move(bound)));
  if (core.idle.size() > kIdle) core.idle.pop_back();
}

void ForgetEnded(FunctionCore& core) {
  std::erase_if(core.running, [](const auto& one) { return one.expired(); });
}

}  // namespace alloy::python
