// SPDX-License-Identifier: MIT
//
// What the binding itself reads of schemas from elsewhere. Nobody has checked them yet, so
// everything here has the limits of the engine, and leaves it to the engine to say what is
// wrong.
//
// Threads  shared, but RaiseMalformed needs the GIL.
#ifndef ALLOY_PYTHON_SRC_FOREIGN_SCHEMA_H_
#define ALLOY_PYTHON_SRC_FOREIGN_SCHEMA_H_

#include <string>

#include "alloy/arrow_abi.h"
#include "state.h"

namespace alloy::python {

// Append all of a schema that a function can see. False: it is malformed, or above a limit
// of the engine. True: Schema::Copy may read it.
bool AppendKey(std::string* key, const ArrowSchema& schema);

// Raise what the engine says about the schema of a batch that AppendKey refused. `at` is the
// number of the input.
[[noreturn]] void RaiseMalformed(State& state, const ArrowSchema& schema, int32_t at);

// Whether a column, or what is inside of one, has fixed-size bytes. In data of Polars these
// are the pointers of its type Object, because it has no other type with this format.
bool HasFixedBytes(const ArrowSchema& schema);

bool IsStruct(const ArrowSchema& schema);

// Such as `Int32`; for a nested type, its format.
std::string TypeName(const ArrowSchema& schema);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_FOREIGN_SCHEMA_H_
