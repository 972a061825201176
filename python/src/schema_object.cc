// SPDX-License-Identifier: MIT
#include "schema_object.h"

#include <string>

#include "capsules.h"
#include "foreign_schema.h"

namespace alloy::python {
namespace {

SchemaObject* AsSchema(PyObject* self) { return reinterpret_cast<SchemaObject*>(self); }

void FreeSchema(PyObject* self) {
  FreeObject(self, [self] { std::destroy_at(&AsSchema(self)->view); });
}

Ref MakeSchema(State& state, const Ref& type, SchemaView view) {
  auto* made = Allocate<SchemaObject>(state.type(type));
  made->state = &state;
  new (&made->view) SchemaView(std::move(view));
  return Ref::Own(reinterpret_cast<PyObject*>(made));
}
PyObject* ExportSchema(PyObject* self, PyObject*) {
  return Enter([&] { return SchemaCapsule(*AsSchema(self)->view.schema); });
}

PyObject* CompareSchemas(PyObject* self, PyObject* other, int operation) {
  return Enter([&] {
    State& state = *AsSchema(self)->state;
    const bool comparable = (operation == Py_EQ || operation == Py_NE) &&
                            PyObject_HasAttr(other, state.arrow_c_schema.get()) != 0;
    if (!comparable) return Ref::Share(Py_NotImplemented);
    const Schema theirs = ImportSchema(state, other);
    std::string mine_key, their_key;
    const bool same = AppendKey(&mine_key, *AsSchema(self)->view.schema) &&
                      AppendKey(&their_key, *theirs) && mine_key == their_key;
    return Ref::Share(same == (operation == Py_EQ) ? Py_True : Py_False);
  });
}

PyObject* ShowSchema(PyObject* self) {
  return Enter([&] {
    const ArrowSchema& schema = *AsSchema(self)->view.schema;
    std::string text;
    if (AsSchema(self)->state->Is(self, AsSchema(self)->state->schema)) {
      for (int64_t i = 0; i < schema.n_children; ++i) {
        const ArrowSchema& child = *schema.children[i];
        text += (i > 0 ? ", " : "") + std::string(NameOf(child)) + ": " + TypeName(child);
      }
      text = "{" + text + "}";
    } else {
      text = std::string(NameOf(schema)) + ": " + TypeName(schema);
    }
    return Unicode(text.c_str());
  });
}

Py_ssize_t CountFields(PyObject* self) {
  return static_cast<Py_ssize_t>(AsSchema(self)->view.schema->n_children);
}

PyObject* FieldAt(PyObject* self, Py_ssize_t at) {
  return Enter([&] {
    const SchemaView& view = AsSchema(self)->view;
    if (at < 0 || at >= view.schema->n_children) {
      Raise(PyExc_IndexError,
            "the schema has " + std::to_string(view.schema->n_children) + " fields");
    }
    return NewField(*AsSchema(self)->state, {view.schema->children[at], view.keeper});
  });
}

PyObject* FieldName(PyObject* self, void*) {
  return Enter(
      [&] { return Unicode(std::string(NameOf(*AsSchema(self)->view.schema)).c_str()); });
}
PyObject* FieldNullable(PyObject* self, void*) {
  const bool nullable = (AsSchema(self)->view.schema->flags & ARROW_FLAG_NULLABLE) != 0;
  return PyBool_FromLong(nullable ? 1 : 0);
}

PyMethodDef schema_methods[] = {
    {"__arrow_c_schema__", &ExportSchema, METH_NOARGS,
     "__arrow_c_schema__($self, /)\n--\n\nReturn a capsule of the schema."},
    {}};
PyGetSetDef field_members[] = {
    {"name", &FieldName, nullptr, "The name of the column.", nullptr},
    {"nullable", &FieldNullable, nullptr, "Whether the column may have nulls.", nullptr},
    {}};
PyType_Slot schema_slots[] = {
    {Py_tp_doc, const_cast<char*>("The columns of a batch.")},
    {Py_tp_dealloc, reinterpret_cast<void*>(&FreeSchema)},
    {Py_tp_methods, schema_methods},
    {Py_tp_richcompare, reinterpret_cast<void*>(&CompareSchemas)},
    {Py_tp_hash, reinterpret_cast<void*>(&PyObject_HashNotImplemented)},
    {Py_tp_repr, reinterpret_cast<void*>(&ShowSchema)},
    {Py_sq_length, reinterpret_cast<void*>(&CountFields)},
    {Py_sq_item, reinterpret_cast<void*>(&FieldAt)},
    {Py_tp_iter, reinterpret_cast<void*>(&PySeqIter_New)},
    {}};
PyType_Slot field_slots[] = {
    {Py_tp_doc, const_cast<char*>("One column of a schema.")},
    {Py_tp_dealloc, reinterpret_cast<void*>(&FreeSchema)},
    {Py_tp_methods, schema_methods},
    {Py_tp_getset, field_members},
    {Py_tp_richcompare, reinterpret_cast<void*>(&CompareSchemas)},
    {Py_tp_hash, reinterpret_cast<void*>(&PyObject_HashNotImplemented)},
    {Py_tp_repr, reinterpret_cast<void*>(&ShowSchema)},
    {}};

}  // namespace

void AddSchemaTypes(PyObject* module, State& state) {
  state.schema = AddType<SchemaObject>(module, "alloy._alloy.Schema", schema_slots);
  state.field = AddType<SchemaObject>(module, "alloy._alloy.Field", field_slots);
}

Ref NewSchema(State& state, SchemaView view) {
  return MakeSchema(state, state.schema, std::move(view));
}
Ref NewField(State& state, SchemaView view) {
  return MakeSchema(state, state.field, std::move(view));
}
std::string_view NameOf(const ArrowSchema& schema) {
  return schema.name == nullptr ? std::string_view() : std::string_view(schema.name);
}

}  // namespace alloy::python
