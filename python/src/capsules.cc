// SPDX-License-Identifier: MIT
#include "capsules.h"

#include <cstring>
#include <string_view>
#include <vector>

#include "data.h"
#include "errors.h"
#include "foreign_schema.h"
#include "source.h"
#include "threads.h"

namespace alloy::python {
namespace {

constexpr const char* kSchema = "arrow_schema";
constexpr const char* kArray = "arrow_array";
constexpr const char* kStream = "arrow_array_stream";

template <typename T>
void FreeCapsule(PyObject* capsule) {
  const SavedError error;  // a capsule may end because of one
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

int32_t ReasonOfReleased(const ArrowSchema&) { return ALLOY_REASON_SCHEMA_RELEASED; }
int32_t ReasonOfReleased(const ArrowArray&) { return ALLOY_REASON_ARRAY_RELEASED; }
int32_t ReasonOfReleased(const ArrowArrayStream&) { return ALLOY_REASON_STREAM_RELEASED; }

// `at` is the number of the input; -1: it is none.
template <typename T>
T* StructOf(State& state, PyObject* capsule, const char* name, int32_t at) {
  auto* found = static_cast<T*>(PyCapsule_GetPointer(capsule, name));
  if (found == nullptr) throw Raised();
  if (found->release == nullptr) {
    RaiseError(state, ALLOY_BAD_DATA,
               std::string("the capsule ") + name +
                   " is released: it was used before; ask its producer for another",
               at, ReasonOfReleased(*found));
  }
  return found;
}

// The engine checks the callbacks of streams that it gets. These are called here before.
OwnedArrayStream TakeStream(State& state, PyObject* capsule, int32_t at) {
  OwnedArrayStream stream(StructOf<ArrowArrayStream>(state, capsule, kStream, at));
  const char* missing = stream->get_schema == nullptr       ? "get_schema"
                        : stream->get_next == nullptr       ? "get_next"
                        : stream->get_last_error == nullptr ? "get_last_error"
                                                            : nullptr;
  if (missing == nullptr) return stream;
  RaiseError(state, ALLOY_BAD_DATA, std::string("the stream has no callback ") + missing,
             at, ALLOY_REASON_STREAM_CALLBACK);
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

void TakePair(State& state, PyObject* pair, int32_t at, Schema* schema,
              OwnedArray* array) {
  if (PyTuple_Check(pair) == 0 || PyTuple_Size(pair) != 2) {
    Raise(PyExc_TypeError, "__arrow_c_array__ must return a tuple of two capsules");
  }
  auto* raw_schema = StructOf<ArrowSchema>(state, PyTuple_GetItem(pair, 0), kSchema, at);
  auto* raw_array = StructOf<ArrowArray>(state, PyTuple_GetItem(pair, 1), kArray, at);
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

[[noreturn]] void RaiseFailedStream(State& state, ArrowArrayStream* stream, int number,
                                    int32_t at) {
  const char* text = stream->get_last_error(stream);
  RaiseError(state, ALLOY_FAILED,
             text == nullptr ? "the stream failed with errno " + std::to_string(number)
                             : std::string(text),
             at);
}

Schema ReadSchema(State& state, ArrowArrayStream* stream, int32_t at) {
  Schema schema;
  int number = 0;
  {
    // The producer may run a query, or wait for threads that need the GIL.
    const NoGil no_gil(*state.interpreter);
    number = stream->get_schema(stream, schema.get());
  }
  if (number == 0) return schema;
  // As with a batch: nobody owns what a failed call left.
  *schema.get() = ArrowSchema{};
  RaiseFailedStream(state, stream, number, at);
}

[[noreturn]] void RaiseNoData(PyObject* object, int32_t at) {
  const Ref type = Ref::Own(PyObject_GetAttrString(
      reinterpret_cast<PyObject*>(Py_TYPE(object)), "__qualname__"));
  const std::string name = Text(type.get(), "the name of a type");
  std::string advice = "pass a batch, a table or a stream of an Arrow library";
  if (name == "LazyFrame") advice = "pass frame.collect(), or use alloy.polars";
  Raise(PyExc_TypeError, "input " + std::to_string(at) + " is of type " + name +
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
  input.schema = ReadSchema(state, input.stream.get(), at);
  if (!IsStruct(*input.schema)) RaiseNotABatch(state, *input.schema, at);
  return input;
}

}  // namespace

Ref SchemaCapsule(const ArrowSchema& schema) {
  return Capsule<ArrowSchema>(Schema::Copy(schema), kSchema);
}
Ref ArrayCapsule(OwnedArray array) { return Capsule(std::move(array), kArray); }
Ref StreamCapsule(OwnedArrayStream stream) { return Capsule(std::move(stream), kStream); }

bool ImportBatch(State& state, PyObject* object, int32_t at, Schema* schema,
                 OwnedArray* array) {
  if (IsPair(object)) {
    TakePair(state, object, at, schema, array);
    return true;
  }
  const Ref method = MethodOf(object, state.arrow_c_array);
  if (!method) return false;
  const Ref pair = Call(method);
  TakePair(state, pair.get(), at, schema, array);
  return true;
}

bool ImportStream(State& state, PyObject* object, int32_t at, OwnedArrayStream* stream) {
  if (IsCapsule(object, kStream)) {
    *stream = TakeStream(state, object, at);
    return true;
  }
  const Ref method = MethodOf(object, state.arrow_c_stream);
  if (!method) return false;
  const Ref capsule = Call(method);
  *stream = TakeStream(state, capsule.get(), at);
  if (IsOfPolars(object) && HasFixedBytes(*ReadSchema(state, stream->get(), at))) {
    RaiseError(
        state, ALLOY_NO_MATCH,
        "a column has the type Object of Polars, whose values are pointers; cast it "
        "to a type of Arrow, or leave it out",
        at);
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
  const bool has_array = ImportBatch(state, object, at, &input.schema, &input.array);
  if (has_array && IsStruct(*input.schema)) return input;
  OwnedArrayStream stream;
  if (ImportStream(state, object, at, &stream))
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
  if (ImportBatch(state, object, at, &input.schema, &input.array)) return input;
  OwnedArrayStream stream;
  if (!ImportStream(state, object, at, &stream)) RaiseNoData(object, at);
  input.schema = ReadSchema(state, stream.get(), at);
  OwnedArray more;
  OwnedArray* asked = &input.array;
  int number = 0;
  {
    const NoGil no_gil(*state.interpreter);
    number = stream->get_next(stream.get(), asked->get());
    if (number == 0 && input.array) {
      asked = &more;
      number = stream->get_next(stream.get(), asked->get());
    }
  }
  if (number != 0) {
    // A failed call may leave anything in the struct, and nobody owns it.
    *asked->get() = ArrowArray{};
    RaiseFailedStream(state, stream.get(), number, at);
  }
  if (!input.array || more) {
    RaiseError(
        state, ALLOY_INVALID,
        "argument " + std::to_string(at) +
            " is not one array: its stream has none or several; combine its chunks "
            "first (combine_chunks, rechunk)",
        at);
  }
  return input;
}

Schema ImportSchema(State& state, PyObject* object, int32_t at) {
  if (IsCapsule(object, kSchema)) {
    return Schema(StructOf<ArrowSchema>(state, object, kSchema, at));
  }
  const Ref method = MethodOf(object, state.arrow_c_schema);
  if (!method) {
    Raise(PyExc_TypeError, "a schema must have the method __arrow_c_schema__");
  }
  const Ref capsule = Call(method);
  return Schema(StructOf<ArrowSchema>(state, capsule.get(), kSchema, at));
}

OwnedArrayStream StreamOf(State& state, const ArrowSchema& schema, ArrowArray* batches,
                          int64_t n, int32_t at) {
  OwnedArrayStream stream;
  alloy_error error;
  const alloy_code code = alloy_stream_of(&schema, batches, n, stream.get(), &error);
  error.input = at;  // not the number of the batch
  CheckCode(state, code, error);
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

void CheckRequest(State& state, const ArrowSchema& schema, PyObject* requested) {
  if (requested == nullptr || requested == Py_None) return;
  const auto* wanted = StructOf<ArrowSchema>(state, requested, kSchema, -1);
  if (wanted->n_children == schema.n_children) return;
  Raise(PyExc_ValueError,
        "the requested schema has " + std::to_string(wanted->n_children) +
            " columns, but the data has " + std::to_string(schema.n_children) +
            "; Alloy does not cast, so ask for no schema and cast afterwards");
}

}  // namespace alloy::python
