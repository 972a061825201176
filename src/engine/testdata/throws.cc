// SPDX-License-Identifier: MIT
// A backend whose initialisation throws, against the contract.
#include <stdexcept>

#include "alloy/backend.h"

const alloy_backend* alloy_backend_init(const alloy_services*, alloy_scope*) {
  throw std::runtime_error("no database");
}
