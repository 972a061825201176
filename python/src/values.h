// SPDX-License-Identifier: MIT
#ifndef ALLOY_PYTHON_SRC_VALUES_H_
#define ALLOY_PYTHON_SRC_VALUES_H_

#include "alloy/arrow_abi.h"
#include "python.h"
#include "state.h"

namespace alloy::python {

// The values of an array that has passed the gate, as a list: numbers, booleans, text.
Ref ListOfValues(State& state, const ArrowSchema& schema, const ArrowArray& array);

// An int32 array of a sequence of ints, for the demonstration that needs no other library.
Ref Int32Array(State& state, PyObject* numbers);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_VALUES_H_
