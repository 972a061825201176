// SPDX-License-Identifier: MIT
//
// How the engine reaches a backend: the seam between the modes.
//
// What is above it (the gate, projections, tickets, deadlines, states) is the same
// whatever is below. Codes are the backend's own, its text is in the scope.
//
// Threads  shared; a state is serial.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_CHANNEL_H_
#define ALLOY_SRC_ENGINE_CHANNEL_CHANNEL_H_

#include <memory>

#include "alloy/backend.h"
#include "engine/channel/scope.h"
#include "load/backend_table.h"

namespace alloy::core {

class Channel {
 public:
  virtual ~Channel() = default;

  virtual const BackendTable& table() const = 0;

  // As the entries of alloy_function; `function` is one of the table's.
  virtual alloy_code Bind(const alloy_function& function, Scope& scope,
                          const ArrowSchema* inputs, int32_t n_inputs,
                          const char* const* values, ArrowSchema* output,
                          void** state) = 0;
  virtual alloy_code Run(const alloy_function& function, void* state, Scope& scope,
                         ArrowArray* inputs, int32_t n_inputs, ArrowArray* output) = 0;
  // `state`, `scope` and the channel outlive `output`.
  virtual alloy_code Open(const alloy_function& function, void* state, Scope& scope,
                          ArrowArrayStream* inputs, int32_t n_inputs,
                          ArrowArrayStream* output) = 0;
  virtual void Unbind(const alloy_function& function, void* state) = 0;
};

// A backend in this process.
std::shared_ptr<Channel> MakeLocalChannel(std::shared_ptr<const BackendTable> table);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_CHANNEL_H_
