// SPDX-License-Identifier: MIT
//
// Calls of a function that are bound to schemas and options: those that are idle and serve
// again, and those that run.
//
// Threads  everything here needs the GIL.
#ifndef ALLOY_PYTHON_SRC_BOUND_CALL_H_
#define ALLOY_PYTHON_SRC_BOUND_CALL_H_

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "bridge.h"
#include "capsules.h"
#include "data.h"

namespace alloy::python {

class SharedCalls;

// A function that is bound to schemas and options.
struct BoundCall {
  std::shared_ptr<BridgeHandle> bridge;  // outlives the call
  std::unique_ptr<alloy_call, FreeEngineObject> call;
  SharedSchema output;
  std::string key;
  uint64_t generation = 0;
  uint64_t ticket = 0;
  const void* owner = nullptr;  // the Function whose call runs, to find its progress
};

// What all copies of a Function share.
struct FunctionCore {
  // Calls that other engines make, with what owns them.
  struct Shared {
    std::weak_ptr<const void> owner;
    SharedCalls* calls;
  };
  std::shared_ptr<BridgeHandle> bridge;
  std::string name;
  bool is_stream = false;
  bool is_idempotent = false;
  std::list<std::unique_ptr<BoundCall>> idle;  // the last used first
  std::vector<std::weak_ptr<BoundCall>> running;
  std::vector<Shared> shared;
};

// The options of a call as the engine takes them.
struct CallOptions {
  std::vector<std::string> texts;
  std::vector<const char*> pointers;
};

// The keyword arguments of a call; NULL: none.
CallOptions OptionsOf(PyObject* keywords);

// Bind a function to the schemas of inputs. With `may_be_idle`, an idle call with the same
// schemas and options serves again.
std::unique_ptr<BoundCall> Bind(State& state, FunctionCore& core,
                                const std::vector<Input>& inputs,
                                const CallOptions& options, bool may_be_idle);

// Let a call that has run serve again, unless the bridge has another library by now.
void KeepIdle(FunctionCore& core, BoundCall&& bound);
// Forget running calls that have ended.
void ForgetEnded(FunctionCore& core);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_BOUND_CALL_H_
