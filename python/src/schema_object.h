// SPDX-License-Identifier: MIT
//
// The types Schema and Field: schemas that Alloy made, as objects which any Arrow library
// takes through the PyCapsule protocol.
#ifndef ALLOY_PYTHON_SRC_SCHEMA_OBJECT_H_
#define ALLOY_PYTHON_SRC_SCHEMA_OBJECT_H_

#include <memory>
#include <string_view>

#include "alloy/detail/share.hpp"
#include "alloy/schema.hpp"
#include "python.h"
#include "state.h"

namespace alloy::python {

using detail::Keeper;
using SharedSchema = std::shared_ptr<const Schema>;

// A schema, or a column of one.
struct SchemaView {
  const ArrowSchema* schema;
  Keeper keeper;
};

struct SchemaObject {
  PyObject head;
  State* state;
  SchemaView view;
};

// Add the types to the module.
void AddSchemaTypes(PyObject* module, State& state);

Ref NewSchema(State& state, SchemaView view);
Ref NewField(State& state, SchemaView view);

// The name of a well-formed schema; empty if it has none.
std::string_view NameOf(const ArrowSchema& schema);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_SCHEMA_OBJECT_H_
