// SPDX-License-Identifier: MIT
//
// Functions of Alloy as native expressions of Polars: the module exports the plugin ABI 0.1,
// so Polars calls it on its own threads, without the GIL.
#ifndef ALLOY_PYTHON_SRC_POLARS_PLUGIN_H_
#define ALLOY_PYTHON_SRC_POLARS_PLUGIN_H_

#include "python.h"

namespace alloy::python {

// polars_expression(function, token, names, options, is_of_another): let expressions whose
// arguments contain `token` run the function. Returns the token that serves, which is an
// earlier one if the same was asked for before. An expression of another process keeps its
// own token too.
PyObject* PolarsExpression(PyObject* module, PyObject* args);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_POLARS_PLUGIN_H_
