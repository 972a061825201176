// SPDX-License-Identifier: MIT
//
// From a name, schemas and options to the function that applies.
#ifndef ALLOY_SRC_ENGINE_CALL_SELECT_H_
#define ALLOY_SRC_ENGINE_CALL_SELECT_H_

#include <string>

#include "engine/open/bridge.h"

namespace alloy::core {

// Everything a bind depends on, unambiguously.
//   Fails  BAD_DATA, with the input that is malformed.
Result<std::string> BindingKey(const std::string& function, const ArrowSchema* inputs,
                               int32_t n_inputs, const char* const* options);

// Bind the first function of that name that applies.
//   Fails  NOT_FOUND, with the list of the functions that exist. The error of the only
//          function of that name; if several have it, NO_MATCH with the text of each.
Result<Lease> SelectFunction(const Service& service, const std::string& name,
                             const ArrowSchema* inputs, int32_t n_inputs,
                             const char* const* options);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CALL_SELECT_H_
