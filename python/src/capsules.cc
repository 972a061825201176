// SPDX-License-Identifier: MIT
#include "capsules.h"

#include <cstring>
#include <string_view>
#include <vector>

#include "data.h"
#include "errors.h"
#include "source.h"
#include "threads.h"

namespace alloy::python {
namespace {

constexpr const char* kSchema = "arrow_schema";
constexpr const char* kArray = "arrow_array";
constexpr const char* kStream = "arrow_array_stream";

template <typename T>
void FreeCapsule(PyObject* capsule) {
  auto* owned =
      static_cast<Owned<T>*>(PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule)));
  delete owned;
}

// An owner is exactly its Arrow struct, so a pointer to it is one to the struct.
template <typename T>
Ref Capsule(Owned<T> owned, const char* name) {
  static_assert(sizeof(Owned<T>) == sizeof(T));
  auto held = std::make_unique<Owned<T>>(std::move(owned));
  Ref capsule = Ref::Own(PyCapsule_New(held.get(), name, &FreeCapsule<T>));
  held.release();  // NOLINT(bugprone-unused-return-value): the capsule owns it
  return capsule;
}

template <typename T>
T* StructOf(PyObject* capsule, const char* name) {
  auto* found = static_cast<T*>(PyCapsule_GetPointer(capsule, name));
  if (found == nullptr) throw Raised();
  if (found->release == nullptr) {
    Raise(PyExc_ValueError, std::string("the capsule ") + name +
                                " is released: it was used before; ask its producer "
                                "for another");
  }
  return found;
}

// The attribute, or an empty Ref.
Ref MethodOf(PyObject* object, const Ref& name) {
  PyObject* method = PyObject_GetAttr(object, name.get());
  if (method != nullptr) return Ref::Own(method);
  if (PyErr_ExceptionMatches(PyExc_AttributeError) == 0) throw Raised();
  PyErr_Clear();
  return {};
}

Ref Call(const Ref& method) { return Ref::Own(PyObject_CallNoArgs(method.get())); }

void TakePair(PyObject* pair, Schema* schema, OwnedArray* array) {
  if (PyTuple_Check(pair) == 0 || PyTuple_Size(pair) != 2) {
    Raise(PyExc_TypeError, "__arrow_c_array__ must return a tuple of two capsules");
  }
  auto* raw_schema = StructOf<ArrowSchema>(PyTuple_GetItem(pair, 0), kSchema);
  auto* raw_array = StructOf<ArrowArray>(PyTuple_GetItem(pair, 1), kArray);
  *schema = Schema(raw_schema);
  *array = OwnedArray(raw_array);
}

bool IsCapsule(PyObject* object, const char* name) {
  return PyCapsule_IsValid(object, name) != 0;
}
bool IsPair(PyObject* object) {
  return PyTuple_Check(object) != 0 && PyTuple_Size(object) == 2 &&
         IsCapsule(PyTuple_GetItem(object, 0), kSchema) &&
         IsCapsule(PyTuple_GetItem(object, 1), kArray);
}

Schema ReadSchema(State& state, ArrowArrayStream* stream) {
  if (stream->get_schema == nullptr) {
    RaiseError(state, ALLOY_BAD_DATA, "the stream has no callback get_schema");
  }
  Schema schema;
  int number = 0;
  {
    // The producer may run a query, or wait for threads that need the GIL.
    const NoGil no_gil(*state.interpreter);
    number = stream->get_schema(stream, schema.get());
  }
  if (number == 0) return schema;
  const char* text =
      stream->get_last_error == nullptr ? nullptr : stream->get_last_error(stream);
  RaiseError(state, ALLOY_FAILED,
             text == nullptr ? "the stream failed with errno " + std::to_string(number)
                             : std::string(text));
}

[[noreturn]] void RaiseNoData(PyObject* object, int32_t at) {
  const Ref type = Ref::Own(PyObject_GetAttrString(
      reinterpret_cast<PyObject*>(Py_TYPE(object)), "__qualname__"));
  const std::string name = Text(type.get(), "the name of a type");
  std::string advice = "pass a batch, a table or a stream of an Arrow library";
  if (name == "LazyFrame") advice = "pass frame.collect(), or use alloy.polars";
  Raise(PyExc_TypeError, "input " + std::to_string(at) + " is a " + name +
                             ", which has neither __arrow_c_array__ nor "
                             "__arrow_c_stream__; " +
                             advice);
}

[[noreturn]] void RaiseNotABatch(State& state, const ArrowSchema& schema, int32_t at) {
  RaiseError(state, ALLOY_INVALID,
             "input " + std::to_string(at) + " is an array of type " + TypeName(schema) +
                 ", not a batch; pass a batch, or pass arrays to the method columns",
             at);
}

// Also of a class that somebody derived.
bool IsOfPolars(PyObject* object) {
  const Ref types = Ref::Own(
      PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(object)), "__mro__"));
  const Py_ssize_t n = PyTuple_Check(types.get()) != 0 ? PyTuple_Size(types.get()) : 0;
  for (Py_ssize_t i = 0; i < n; ++i) {
    const Ref module =
        Ref::Own(PyObject_GetAttrString(PyTuple_GetItem(types.get(), i), "__module__"));
    const bool is_text = PyUnicode_Check(module.get()) != 0;
    if (is_text && Text(module.get(), "the name of a module").starts_with("polars.")) {
      return true;
    }
  }
  return false;
}

Input FromStream(State& state, OwnedArrayStream stream, int32_t at) {
  Input input;
  input.stream = std::move(stream);
  input.schema = ReadSchema(state, input.stream.get());
  if (!IsStruct(*input.schema)) RaiseNotABatch(state, *input.schema, at);
  return input;
}

}  // namespace

Ref SchemaCapsule(const ArrowSchema& schema) {
  return Capsule<ArrowSchema>(Schema::Copy(schema), kSchema);
}
Ref ArrayCapsule(OwnedArray array) { return Capsule(std::move(array), kArray); }
Ref StreamCapsule(OwnedArrayStream stream) { return Capsule(std::move(stream), kStream); }

bool ImportBatch(State& state, PyObject* object, Schema* schema, OwnedArray* array) {
  if (IsPair(object)) {
    TakePair(object, schema, array);
    return true;
  }
  const Ref method = MethodOf(object, state.arrow_c_array);
  if (!method) return false;
  const Ref pair = Call(method);
  TakePair(pair.get(), schema, array);
  return true;
}

bool HasFixedBytes(const ArrowSchema& schema, int depth) {
  constexpr int kDeepest = 64;
  if (depth > kDeepest || schema.format == nullptr)
    return false;  // the engine refuses it
  if (std::string_view(schema.format).starts_with("w:")) return true;
  for (int64_t i = 0; schema.children != nullptr && i < schema.n_children; ++i) {
    if (schema.children[i] != nullptr && HasFixedBytes(*schema.children[i], depth + 1)) {
      return true;
    }
  }
  return schema.dictionary != nullptr && HasFixedBytes(*schema.dictionary, depth + 1);
}

bool ImportStream(State& state, PyObject* object, OwnedArrayStream* stream) {
  if (IsCapsule(object, kStream)) {
    *stream = OwnedArrayStream(StructOf<ArrowArrayStream>(object, kStream));
    return true;
  }
  const Ref method = MethodOf(object, state.arrow_c_stream);
  if (!method) return false;
  const Ref capsule = Call(method);
  *stream = OwnedArrayStream(StructOf<ArrowArrayStream>(capsule.get(), kStream));
  if (IsOfPolars(object) && HasFixedBytes(*ReadSchema(state, stream->get()))) {
    RaiseError(
        state, ALLOY_NO_MATCH,
        "a column has the type Object of Polars, whose values are pointers; cast it "
        "to a type of Arrow, or leave it out");
  }
  return true;
}

Input ImportInput(State& state, PyObject* object, int32_t at, const Schema* given) {
  Input input;
  if (state.Is(object, state.batch)) {
    const Data& data = reinterpret_cast<DataObject*>(object)->data;
    input.schema = Schema::Copy(*data.schema);
    input.array = detail::ShareArray(*data.array, data.keeper, false);
    return input;
  }
  const bool has_array = ImportBatch(state, object, &input.schema, &input.array);
  if (has_array && IsStruct(*input.schema)) return input;
  OwnedArrayStream stream;
  if (ImportStream(state, object, &stream))
    return FromStream(state, std::move(stream), at);
  if (has_array) RaiseNotABatch(state, *input.schema, at);
  if (PyUnicode_Check(object) != 0 || PyBytes_Check(object) != 0 ||
      PyDict_Check(object) != 0) {
    RaiseNoData(object, at);
  }
  PyObject* iterator = PyObject_GetIter(object);
  if (iterator == nullptr) {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw Raised();
    PyErr_Clear();
    RaiseNoData(object, at);
  }
  input.source = Source::Make(state, Ref::Own(iterator), at, given);
  input.schema = Schema::Copy(input.source->schema());
  input.stream = Source::Export(input.source);
  return input;
}

Input ImportArray(State& state, PyObject* object, int32_t at) {
  Input input;
  if (ImportBatch(state, object, &input.schema, &input.array)) return input;
  OwnedArrayStream stream;
  if (!ImportStream(state, object, &stream)) RaiseNoData(object, at);
  input.schema = ReadSchema(state, stream.get());
  OwnedArray more;
  int number = 0;
  {
    const NoGil no_gil(*state.interpreter);
    number = stream->get_next(stream.get(), input.array.get());
    if (number == 0 && input.array) number = stream->get_next(stream.get(), more.get());
  }
  if (number != 0 || !input.array || more) {
    RaiseError(
        state, ALLOY_INVALID,
        "argument " + std::to_string(at) +
            " is not one array: its stream has none or several; combine its chunks "
            "first (combine_chunks, rechunk)",
        at);
  }
  return input;
}

Schema ImportSchema(State& state, PyObject* object) {
  if (IsCapsule(object, kSchema)) return Schema(StructOf<ArrowSchema>(object, kSchema));
  const Ref method = MethodOf(object, state.arrow_c_schema);
  if (!method) {
    Raise(PyExc_TypeError, "a schema must have the method __arrow_c_schema__");
  }
  const Ref capsule = Call(method);
  return Schema(StructOf<ArrowSchema>(capsule.get(), kSchema));
}

OwnedArrayStream StreamOf(State& state, const ArrowSchema& schema, ArrowArray* batches,
                          int64_t n) {
  OwnedArrayStream stream;
  alloy_error error;
  CheckCode(state, alloy_stream_of(&schema, batches, n, stream.get(), &error), error);
  return stream;
}

PyObject* RequestedSchema(PyObject* args, PyObject* options) {
  PyObject* requested = nullptr;
  static const char* const names[] = {"requested_schema", nullptr};
  if (PyArg_ParseTupleAndKeywords(args, options, "|O", const_cast<char**>(names),
                                  &requested) == 0) {
    throw Raised();
  }
  return requested;
}

void CheckRequest(State&, const ArrowSchema& schema, PyObject* requested) {
  if (requested == nullptr || requested == Py_None) return;
  const auto* wanted = StructOf<ArrowSchema>(requested, kSchema);
  if (wanted->n_children == schema.n_children) return;
  Raise(PyExc_ValueError,
        "the requested schema has " + std::to_string(wanted->n_children) +
            " columns, but the data has " + std::to_string(schema.n_children) +
            "; Alloy does not cast, so ask for no schema and cast afterwards");
}

bool AppendKey(std::string* key, const ArrowSchema& schema, int depth) {
  constexpr int kDeepest = 64;
  const auto append = [key](std::string_view part) {
    const uint64_t size = part.size();
    key->append(reinterpret_cast<const char*>(&size), sizeof(size)).append(part);
  };
  if (depth > kDeepest || schema.release == nullptr || schema.format == nullptr ||
      schema.n_children < 0 || (schema.n_children > 0 && schema.children == nullptr)) {
    return false;
  }
  append(schema.format);
  append(schema.name == nullptr ? "" : schema.name);
  append(schema.metadata == nullptr ? std::string_view()
                                    : detail::MetadataOf(schema.metadata));
  const int64_t rest[] = {schema.flags, schema.n_children, schema.dictionary != nullptr};
  key->append(reinterpret_cast<const char*>(rest), sizeof(rest));
  for (int64_t i = 0; i < schema.n_children; ++i) {
    if (schema.children[i] == nullptr) return false;
    if (!AppendKey(key, *schema.children[i], depth + 1)) return false;
  }
  return schema.dictionary == nullptr || AppendKey(key, *schema.dictionary, depth + 1);
}

std::string TypeName(const ArrowSchema& schema) {
  if (schema.format == nullptr) return "without a format";
  // The engine has the names: it describes an array of no rows as `Int32[]`.
  if (schema.n_children == 0 && schema.dictionary == nullptr) {
    const void* buffers[3] = {};
    for (const int64_t n_buffers : {2, 3, 0}) {
      ArrowArray empty{};
      empty.n_buffers = n_buffers;
      empty.buffers = buffers;
      empty.release = [](ArrowArray* array) { array->release = nullptr; };
      char text[128];
      int64_t length = 0;
      alloy_error error;
      if (alloy_describe(&schema, &empty, text, sizeof(text), &length, &error) !=
          ALLOY_OK) {
        continue;
      }
      std::string name(text);
      return name.substr(0, name.rfind('['));
    }
  }
  return schema.format;
}

}  // namespace alloy::python
