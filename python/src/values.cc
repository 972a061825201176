// SPDX-License-Identifier: MIT
#include "values.h"

#include <type_traits>
#include <vector>

#include "alloy/column.hpp"
#include "alloy/strings.hpp"
#include "capsules.h"
#include "data.h"
#include "errors.h"
#include "foreign_schema.h"

namespace alloy::python {
namespace {

Ref Number(bool value) { return Ref::Own(PyBool_FromLong(value ? 1 : 0)); }
template <typename T>
Ref Number(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return Ref::Own(PyFloat_FromDouble(static_cast<double>(value)));
  } else if constexpr (std::is_signed_v<T>) {
    return Ref::Own(PyLong_FromLongLong(value));
  } else {
    return Ref::Own(PyLong_FromUnsignedLongLong(value));
  }
}

template <typename View, typename Convert>
Ref ListOf(const View& view, int64_t rows, Convert convert) {
  Ref list = Ref::Own(PyList_New(static_cast<Py_ssize_t>(rows)));
  Py_ssize_t at = 0;
  for (const auto value : view) {
    Ref item = value ? convert(*value) : None();
    Check(PyList_SetItem(list.get(), at++, item.Release()));
  }
  return list;
}

template <typename... T>
Ref ListOfFirst(State& state, const ArrowSchema& schema, const ArrowArray& array) {
  Ref list;
  const auto attempt = [&]<typename U>(std::type_identity<U>) {
    if (!Column<U>::Accepts(schema)) return false;
    list = ListOf(Column<U>(schema, array), array.length,
                  [](auto value) { return Number(value); });
    return true;
  };
  if ((attempt(std::type_identity<T>()) || ...)) return list;
  RaiseError(state, ALLOY_UNSUPPORTED,
             "to_pylist has numbers, booleans and text, but the array is " +
                 TypeName(schema) + "; pass it to an Arrow library, as in pa.array(a)");
}

}  // namespace

Ref ListOfValues(State& state, const ArrowSchema& schema, const ArrowArray& array) {
  if (!Strings::Accepts(schema)) {
    return ListOfFirst<bool, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                       uint32_t, uint64_t, float, double>(state, schema, array);
  }
  const Strings strings(schema, array);
  Ref list = Ref::Own(PyList_New(static_cast<Py_ssize_t>(array.length)));
  std::optional<std::string_view> text;
  for (int64_t row = 0; row < array.length; ++row) {
    if (const char* fault = strings.Read(row, &text)) {
      RaiseError(state, ALLOY_BAD_DATA, strings.Explain(row, fault));
    }
    Ref item = text ? Ref::Own(PyUnicode_DecodeUTF8(
                          text->data(), static_cast<Py_ssize_t>(text->size()), "strict"))
                    : None();
    Check(PyList_SetItem(list.get(), static_cast<Py_ssize_t>(row), item.Release()));
  }
  return list;
}

Ref Int32Array(State& state, PyObject* numbers) {
  struct Held {
    Schema schema = Schema::Of({.name = "", .format = "i"});
    std::vector<int32_t> values;
    const void* buffers[2] = {};
    ArrowArray array{};
  };
  auto held = std::make_shared<Held>();
  const Py_ssize_t size = Check(static_cast<int>(PySequence_Size(numbers)));
  for (Py_ssize_t i = 0; i < size; ++i) {
    const Ref item = Ref::Own(PySequence_GetItem(numbers, i));
    held->values.push_back(static_cast<int32_t>(PyLong_AsLong(item.get())));
    if (PyErr_Occurred() != nullptr) throw Raised();
  }
  held->buffers[1] = held->values.data();
  held->array.length = size;
  held->array.n_buffers = 2;
  held->array.buffers = held->buffers;
  const auto* raw = held.get();
  return NewArray(state, {raw->schema.get(), &raw->array, std::move(held)});
}

}  // namespace alloy::python
