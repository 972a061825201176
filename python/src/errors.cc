// SPDX-License-Identifier: MIT
#include "errors.h"

#include <algorithm>
#include <cstring>

namespace alloy::python {
namespace {

const char* SideName(uint16_t side) {
  switch (side) {
    case ALLOY_SIDE_CALLER:
      return "caller";
    case ALLOY_SIDE_BACKEND:
      return "backend";
    case ALLOY_SIDE_WORKER:
      return "worker";
    default:
      return "engine";
  }
}

}  // namespace

std::string ErrorText(const alloy_error& error) {
  std::string text = std::string("[ALLOY ") + alloy_code_name(error.code);
  if (error.reason != ALLOY_REASON_NONE) {
    text += std::string("/") + alloy_reason_name(error.reason);
  }
  text += std::string(" ") + SideName(error.side);
  if (error.input >= 0) text += " input=" + std::to_string(error.input);
  if (error.column >= 0) text += " column=" + std::to_string(error.column);
  return text + "] " + error.text;
}

void RaiseError(State& state, const alloy_error& error, bool idempotent) {
  Check(PyErr_CheckSignals());
  if (!state.make_error) {
    const Ref module = Ref::Own(PyImport_ImportModule("alloy._errors"));
    state.make_error = Ref::Own(PyObject_GetAttrString(module.get(), "make"));
  }
  const Ref text = Unicode(error.text);
  const Ref exception = Ref::Own(
      PyObject_CallFunction(state.make_error.get(), "ssiisOi",
                            alloy_code_name(error.code), alloy_reason_name(error.reason),
                            static_cast<int>(error.input), static_cast<int>(error.column),
                            SideName(error.side), text.get(), idempotent ? 1 : 0));
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
  throw Raised();
}

void RaiseError(State& state, alloy_code code, const std::string& text, int32_t input,
                int32_t reason) {
  alloy_error error;
  FillError(&error, code, text, input);
  error.reason = reason;
  RaiseError(state, error);
}

alloy_code FillError(alloy_error* error, alloy_code code, const std::string& text,
                     int32_t input) {
  *error = {};
  error->code = code;
  error->input = input;
  error->column = -1;
  error->side = ALLOY_SIDE_CALLER;
  const size_t length = std::min(text.size(), sizeof(error->text) - 1);
  std::memcpy(error->text, text.data(), length);
  error->length = static_cast<uint16_t>(length);
  return code;
}

}  // namespace alloy::python
