// SPDX-License-Identifier: MIT
//
// From a name, schemas and options to a bound function: the first function of that name
// that accepts them, or a binding that was made for the same question before.
#ifndef ALLOY_SRC_ENGINE_BIND_SELECT_H_
#define ALLOY_SRC_ENGINE_BIND_SELECT_H_

#include <memory>
#include <string>
#include <utility>

#include "engine/bind/binding.h"

namespace alloy::core {

// A backend that serves one bridge, and what that bridge remembers of it.
struct ServedBackend {
  // Borrows mark, as long as this lives.
  ServedBackend(std::shared_ptr<Channel> serving, LogContext log, ProcessMark& mark)
      : channel(std::move(serving)), log_context(std::move(log)), bindings(mark) {}

  std::shared_ptr<Channel> channel;
  LogContext log_context;
  BindingCache bindings;
};

struct BoundFunction {
  std::shared_ptr<ServedBackend> backend;
  Lease lease;
};

// As alloy_call_bind. What was bound before costs a look-up.
Result<BoundFunction> BindFunction(std::shared_ptr<ServedBackend> backend,
                                   const std::string& name, const ArrowSchema* inputs,
                                   int32_t n_inputs, const char* const* options);

// A string that differs for binds that may differ in their result.
//   Fails  BAD_DATA, with the input that is malformed.
Result<std::string> BindingKey(const std::string& function, const ArrowSchema* inputs,
                               int32_t n_inputs, const char* const* options);

// Bind the first function of that name that accepts the inputs and options.
//   Fails  NOT_FOUND  no function has that name; the text lists all functions.
//          NO_MATCH   none of several accepts them; the text has the error of each.
//          The only function's own error, when there is one of that name.
Result<Lease> SelectFunction(const ServedBackend& backend, const std::string& name,
                             const ArrowSchema* inputs, int32_t n_inputs,
                             const char* const* options);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_BIND_SELECT_H_
