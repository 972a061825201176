// SPDX-License-Identifier: MIT
//
// The Arrow PyCapsule protocol: structs out of any object that offers them, and structs of
// ours into capsules.
#ifndef ALLOY_PYTHON_SRC_CAPSULES_H_
#define ALLOY_PYTHON_SRC_CAPSULES_H_

#include <memory>
#include <string>

#include "alloy/owned.hpp"
#include "alloy/schema.hpp"
#include "python.h"
#include "state.h"

namespace alloy::python {

class Source;

// What one object gave: a batch, or a stream of batches. Its structs come from elsewhere
// and are not checked; only the engine reads more of them than the format of the schema.
struct Input {
  Schema schema;
  OwnedArray array;                // of a batch; else empty
  OwnedArrayStream stream;         // of a stream; else empty
  std::shared_ptr<Source> source;  // of a stream that Python makes; else NULL

  bool is_batch() const { return static_cast<bool>(array); }
};

// Read input number `at` of a call: an object with __arrow_c_array__ of a struct type or
// with __arrow_c_stream__, their capsules, or an iterable of such objects, whose schema is
// `given` if that is not NULL, and otherwise that of its first object.
Input ImportInput(State& state, PyObject* object, int32_t at, const Schema* given);

// Read one array of any type: an object with __arrow_c_array__, a stream with exactly one
// array, or their capsules.
Input ImportArray(State& state, PyObject* object, int32_t at);

// Read the schema of an object with __arrow_c_schema__, or of a capsule.
Schema ImportSchema(State& state, PyObject* object, int32_t at = -1);

// The structs of a batch of a stream that Python makes. False: the object has no array.
bool ImportBatch(State& state, PyObject* object, int32_t at, Schema* schema,
                 OwnedArray* array);
// False: the object has no stream.
bool ImportStream(State& state, PyObject* object, int32_t at, OwnedArrayStream* stream);

Ref SchemaCapsule(const ArrowSchema& schema);
Ref ArrayCapsule(OwnedArray array);
Ref StreamCapsule(OwnedArrayStream stream);

// A stream of batches in memory, for input number `at`; -1: it is none. Takes the batches.
OwnedArrayStream StreamOf(State& state, const ArrowSchema& schema, ArrowArray* batches,
                          int64_t n, int32_t at = -1);

// The argument of an export, which may be NULL or None.
PyObject* RequestedSchema(PyObject* args, PyObject* options);
// Alloy does not cast. A request for another number of columns cannot be met at all; any
// other is answered with the schema that the data has.
void CheckRequest(State& state, const ArrowSchema& schema, PyObject* requested);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_CAPSULES_H_
