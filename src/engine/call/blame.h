// SPDX-License-Identifier: MIT
//
// Whose fault a faulty result is. Inputs are mostly checked less than results. So a function
// that returns what it got may return a fault of its input.
#ifndef ALLOY_SRC_ENGINE_CALL_BLAME_H_
#define ALLOY_SRC_ENGINE_CALL_BLAME_H_

#include <string>

#include "base/status.h"
#include "engine/bind/binding.h"
#include "gate/copied.h"
#include "gate/level.h"

namespace alloy::core {

struct CheckedAt {
  Level inputs;
  Level results;
};

// The error for a result in which the gate has found `fault`:
//   side caller   the faulty struct is one of an input, or an input has a fault itself. In a
//                 stream a struct is recognised by its address only, which a later struct
//                 may have too; the text then says how to know.
//   side backend  otherwise. The text says so if nobody can know: the inputs were checked
//                 less, and the function has moved them away.
// The output is still what the backend returned.
Status BlameResult(const Binding& binding, CheckedAt levels, const RunInputs& inputs,
                   const ArrowArray& output, const Status& fault);

// The same for a run that failed, because the channel has found a fault in its result: the
// worker has checked it. It has copies of the inputs, so only their values are compared.
Status BlameRun(const Binding& binding, CheckedAt levels, const RunInputs& inputs,
                const Status& fault);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CALL_BLAME_H_
