// SPDX-License-Identifier: MIT
#include "data.h"

#include <string_view>

#include "capsules.h"
#include "errors.h"
#include "foreign_schema.h"
#include "values.h"

namespace alloy::python {
namespace {

DataObject* AsData(PyObject* self) { return reinterpret_cast<DataObject*>(self); }

void FreeData(PyObject* self) {
  FreeObject(self, [self] { std::destroy_at(&AsData(self)->data); });
}

Ref MakeData(State& state, const Ref& type, Data data) {
  auto* made = Allocate<DataObject>(state.type(type));
  made->state = &state;
  new (&made->data) Data(std::move(data));
  return Ref::Own(reinterpret_cast<PyObject*>(made));
}

PyObject* ExportArray(PyObject* self, PyObject* args, PyObject* options) {
  return Enter([&] {
    const Data& data = AsData(self)->data;
    CheckRequest(*AsData(self)->state, *data.schema, RequestedSchema(args, options));
    const Ref schema = SchemaCapsule(*data.schema);
    const Ref array = ArrayCapsule(detail::ShareArray(*data.array, data.keeper, false));
    return Ref::Own(PyTuple_Pack(2, schema.get(), array.get()));
  });
}

PyObject* ExportBatchAsStream(PyObject* self, PyObject* args, PyObject* options) {
  return Enter([&] {
    State& state = *AsData(self)->state;
    const Data& data = AsData(self)->data;
    CheckRequest(state, *data.schema, RequestedSchema(args, options));
    OwnedArray array = detail::ShareArray(*data.array, data.keeper, false);
    return StreamCapsule(StreamOf(state, *data.schema, array.get(), 1));
  });
}

PyObject* ExportSchemaOfData(PyObject* self, PyObject*) {
  return Enter([&] { return SchemaCapsule(*AsData(self)->data.schema); });
}

PyObject* ShowData(PyObject* self) {
  return Enter([&] {
    const Data& data = AsData(self)->data;
    return Unicode(Describe(*AsData(self)->state, *data.schema, *data.array).c_str());
  });
}

Py_ssize_t CountRows(PyObject* self) {
  return static_cast<Py_ssize_t>(AsData(self)->data.array->length);
}

PyObject* ToList(PyObject* self, PyObject*) {
  return Enter([&] {
    const Data& data = AsData(self)->data;
    return ListOfValues(*AsData(self)->state, *data.schema, *data.array);
  });
}

PyObject* ArrayType(PyObject* self, void*) {
  return Enter([&] {
    const Data& data = AsData(self)->data;
    return NewField(*AsData(self)->state, {data.schema, data.keeper});
  });
}

PyObject* BatchSchema(PyObject* self, void*) {
  return Enter([&] {
    const Data& data = AsData(self)->data;
    return NewSchema(*AsData(self)->state, {data.schema, data.keeper});
  });
}

PyObject* CountColumns(PyObject* self, void*) {
  return PyLong_FromLongLong(AsData(self)->data.schema->n_children);
}

PyObject* ColumnByName(PyObject* self, PyObject* key) {
  return Enter([&] {
    const Data& data = AsData(self)->data;
    const std::string name = Text(key, "the name of a column");
    for (int64_t i = 0; i < data.schema->n_children; ++i) {
      const ArrowSchema* child = data.schema->children[i];
      if (NameOf(*child) != name) continue;
      return NewArray(*AsData(self)->state,
                      {child, data.array->children[i], data.keeper});
    }
    std::string names;
    for (int64_t i = 0; i < data.schema->n_children; ++i) {
      names += (i == 0 ? "" : ", ") + std::string(NameOf(*data.schema->children[i]));
    }
    Raise(PyExc_KeyError, "there is no column " + name + "; the columns are " + names);
  });
}

PyObject* RefuseToPickle(PyObject*, PyObject*) {
  PyErr_SetString(PyExc_TypeError,
                  "Alloy's data does not pickle; convert it with pa.record_batch(b) or "
                  "pa.array(a), and pickle that");
  return nullptr;
}

PyMethodDef array_methods[] = {
    {"__arrow_c_array__", WithKeywords(&ExportArray), METH_VARARGS | METH_KEYWORDS,
     "__arrow_c_array__($self, requested_schema=None)\n--\n\n"
     "Return capsules of the schema and of the array, without a copy."},
    {"__arrow_c_schema__", &ExportSchemaOfData, METH_NOARGS,
     "__arrow_c_schema__($self, /)\n--\n\nReturn a capsule of the schema."},
    {"to_pylist", &ToList, METH_NOARGS,
     "to_pylist($self, /)\n--\n\n"
     "Return the values as a list, for numbers, booleans and text. Other types raise "
     "UnsupportedError: pass the array to an Arrow library."},
    {"__reduce__", &RefuseToPickle, METH_NOARGS, "__reduce__($self, /)\n--\n\nRefuse."},
    {}};
PyGetSetDef array_members[] = {
    {"type", &ArrayType, nullptr, "The field that describes the type.", nullptr}, {}};
PyType_Slot array_slots[] = {{Py_tp_doc, const_cast<char*>("One column of data.")},
                             {Py_tp_dealloc, reinterpret_cast<void*>(&FreeData)},
                             {Py_tp_methods, array_methods},
                             {Py_tp_getset, array_members},
                             {Py_tp_repr, reinterpret_cast<void*>(&ShowData)},
                             {Py_sq_length, reinterpret_cast<void*>(&CountRows)},
                             {}};

PyMethodDef batch_methods[] = {
    {"__arrow_c_array__", WithKeywords(&ExportArray), METH_VARARGS | METH_KEYWORDS,
     "__arrow_c_array__($self, requested_schema=None)\n--\n\n"
     "Return capsules of the schema and of the batch, without a copy."},
    {"__arrow_c_stream__", WithKeywords(&ExportBatchAsStream),
     METH_VARARGS | METH_KEYWORDS,
     "__arrow_c_stream__($self, requested_schema=None)\n--\n\n"
     "Return a capsule of a stream that has this batch."},
    {"__arrow_c_schema__", &ExportSchemaOfData, METH_NOARGS,
     "__arrow_c_schema__($self, /)\n--\n\nReturn a capsule of the schema."},
    {"__reduce__", &RefuseToPickle, METH_NOARGS, "__reduce__($self, /)\n--\n\nRefuse."},
    {}};
PyGetSetDef batch_members[] = {
    {"schema", &BatchSchema, nullptr, "The columns.", nullptr},
    {"num_columns", &CountColumns, nullptr, "How many columns it has.", nullptr},
    {}};
PyType_Slot batch_slots[] = {{Py_tp_doc, const_cast<char*>("A batch of rows.")},
                             {Py_tp_dealloc, reinterpret_cast<void*>(&FreeData)},
                             {Py_tp_methods, batch_methods},
                             {Py_tp_getset, batch_members},
                             {Py_tp_repr, reinterpret_cast<void*>(&ShowData)},
                             {Py_mp_length, reinterpret_cast<void*>(&CountRows)},
                             {Py_mp_subscript, reinterpret_cast<void*>(&ColumnByName)},
                             {}};

// A column of a checked schema, and what is inside of it.
int32_t ColumnsOf(const ArrowSchema& schema) {
  int32_t columns = 1;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    columns += ColumnsOf(*schema.children[i]);
  }
  return columns + (schema.dictionary == nullptr ? 0 : ColumnsOf(*schema.dictionary));
}

}  // namespace

void AddDataTypes(PyObject* module, State& state) {
  state.array = AddType<DataObject>(module, "alloy._alloy.Array", array_slots);
  state.batch = AddType<DataObject>(module, "alloy._alloy.Batch", batch_slots);
}

Ref NewArray(State& state, Data data) {
  return MakeData(state, state.array, std::move(data));
}
Ref NewBatch(State& state, Data data) {
  return MakeData(state, state.batch, std::move(data));
}

Ref NewBatch(State& state, SharedSchema schema, OwnedArray array) {
  auto held = std::make_shared<detail::Imported>();
  held->shared_schema = std::move(schema);
  held->array = std::move(array);
  const auto* raw = held.get();
  return NewBatch(state, {raw->shared_schema->get(), raw->array.get(), std::move(held)});
}

std::string Describe(State& state, const ArrowSchema& schema, const ArrowArray& array) {
  alloy_error error;
  // `column` is that of `of`, in preorder; -1 is the whole.
  const auto one = [&](const ArrowSchema& of, const ArrowArray& values, int32_t column) {
    std::string text(256, '\0');
    for (;;) {
      int64_t length = 0;
      const alloy_code code = alloy_describe(
          &of, &values, text.data(), static_cast<int64_t>(text.size()), &length, &error);
      if (code != ALLOY_OK) {
        error.column += column + 1;
        RaiseError(state, error);
      }
      const auto size = static_cast<size_t>(length);
      const bool fits = size < text.size();
      text.resize(fits ? size : size + 1);
      if (fits) return text;
    }
  };
  // The whole tree is checked before its children are read.
  std::string whole = one(schema, array, -1);
  if (!IsStruct(schema) || array.offset != 0) return whole;
  std::string text = "{";
  int32_t column = 0;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema& child = *schema.children[i];
    text += (i > 0 ? ", " : "") + std::string(NameOf(child)) + ": " +
            one(child, *array.children[i], column);
    column += ColumnsOf(child);
  }
  return text + "}";
}

}  // namespace alloy::python
