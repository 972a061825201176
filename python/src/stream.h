// SPDX-License-Identifier: MIT
//
// The type Stream of the binding: the lazy result of a function.
#ifndef ALLOY_PYTHON_SRC_STREAM_H_
#define ALLOY_PYTHON_SRC_STREAM_H_

#include <memory>
#include <vector>

#include "bound_call.h"

namespace alloy::python {

void AddStreamType(PyObject* module, State& state);
// Takes the data of the inputs.
Ref OpenStream(State& state, const std::shared_ptr<BoundCall>& bound,
               std::vector<Input> inputs, int64_t timeout_ns, bool idempotent);
// stream_of(batches, schema, requested): a capsule of a stream of these Batch objects.
PyObject* StreamOfBatches(PyObject* module, PyObject* args);
// watch_stream(stream, callable): it gets (done, total) after each batch.
PyObject* WatchStream(PyObject* module, PyObject* args);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_STREAM_H_
