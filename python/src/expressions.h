// SPDX-License-Identifier: MIT
//
// The functions that expressions of Polars name: an expression carries a token, and a
// reference for other processes. The plugin finds the function by them.
#ifndef ALLOY_PYTHON_SRC_EXPRESSIONS_H_
#define ALLOY_PYTHON_SRC_EXPRESSIONS_H_

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "python.h"
#include "shared_calls.h"

namespace alloy::python {

// A function with its options, as expressions name it by a token.
struct Expression {
  std::vector<std::string> names;  // of the columns; empty: those of Polars
  std::string function;
  std::unique_ptr<SharedCalls> calls;
};

// An error whose text Polars gets as it is.
struct PlanError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Find the function that the arguments of an expression name, and open its library if this
// is another process. Throws PlanError.
//
// Threads  any, without the GIL.
std::shared_ptr<Expression> FindExpression(std::string_view arguments);

// polars_expression(function, token, names, options, is_of_another): let expressions whose
// arguments contain `token` run the function. Returns the token that serves, which is an
// earlier one if the same was asked for before. An expression of another process keeps its
// own token too.
PyObject* PolarsExpression(PyObject* module, PyObject* args);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_EXPRESSIONS_H_
