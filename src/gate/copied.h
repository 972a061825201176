// SPDX-License-Identifier: MIT
//
// Finds structs that a backend copied out of an input instead of moving them. Both the
// copy and the original would be released, which frees the data twice. The side that enters
// the backend looks for them: the engine, or the worker.
//
// A copy has the release callback and the private data of a struct that is still in its
// place in an input. That is not enough: the structs of one producer may share both. So a
// copy also has the buffers, the children or the dictionary of that struct. Length, offset
// and null count do not matter. docs/boundary.md lists what this cannot see.
//
// Threads  serial.
#ifndef ALLOY_SRC_GATE_COPIED_H_
#define ALLOY_SRC_GATE_COPIED_H_

#include <cstdint>
#include <span>
#include <string>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"

namespace alloy::core {

// What the backend got, and what it left of that in the same places.
struct RunInputs {
  std::span<const ArrowArray> given;  // the roots before the run
  std::span<ArrowArray> left;
};

// Whether one struct is the other, or a copy of it. `release` may be NULL in one of them:
// it was moved out.
bool IsSameStruct(const ArrowArray& a, const ArrowArray& b);

// The input from which a struct of *output was copied; -1: none was. The copies are marked
// as moved out, so that *output can be released. If that is not enough, *output is emptied,
// and what it owned besides is lost.
//   layout  of the output. *output need not fit it: it may not be checked yet.
int32_t DisarmCopies(const Layout& layout, const RunInputs& inputs, ArrowArray* output);

// The input that the backend overwrote with a copy of another one; -1: it overwrote none. The
// copy is emptied.
int32_t DisarmOverwritten(const RunInputs& inputs);

// Both for one run.
struct Copied {
  int32_t returned = -1;     // as of DisarmCopies
  int32_t overwritten = -1;  // as of DisarmOverwritten

  bool any() const { return returned >= 0 || overwritten >= 0; }
  // BAD_DATA, of the backend. `run_error` is what the run reported besides; empty: nothing.
  Status Describe(const std::string& function, const std::string& run_error) const;
};
Copied Disarm(const Layout& layout, const RunInputs& inputs, ArrowArray* output);

// The same for the streams of an open, and for the schemas of a bind. What is a copy is
// emptied.
//   Fails  BAD_DATA, of the backend.
Status DisarmStreams(const std::string& function, std::span<ArrowArrayStream> inputs,
                     ArrowArrayStream* output);
Status DisarmSchema(const std::string& function, std::span<const ArrowSchema> inputs,
                    ArrowSchema* output);

}  // namespace alloy::core

#endif  // ALLOY_SRC_GATE_COPIED_H_
