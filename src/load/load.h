// SPDX-License-Identifier: MIT
//
// From a cleared library to a backend's table: the only place where foreign code runs
// first.
#ifndef ALLOY_SRC_LOAD_LOAD_H_
#define ALLOY_SRC_LOAD_LOAD_H_

#include <memory>

#include "load/backend_table.h"
#include "port/cleared.h"

namespace alloy::core {

enum class LoadFrom {
  kSealedCopy,
  // For debuggers and profilers, which find the file then; anyone who can write the file
  // decides what runs. A library that was linked here has only its sealed copy.
  kPath,
};

// Load a library for the life of the process, and initialise it.
//
// Services and scope go to alloy_backend_init. A backend that returns no table has left
// its reason in the scope; the reason of the status is INIT then.
//
//   Borrows  services, scope.
//   Takes    library, whatever the outcome.
//   Fails    REFUSED with NO_PROC, LOADER, IDENTITY, INIT, ABI or TABLE.
Result<std::shared_ptr<const BackendTable>> LoadBackend(Cleared library, LoadFrom from,
                                                        const alloy_services* services,
                                                        alloy_scope* scope);

}  // namespace alloy::core

#endif  // ALLOY_SRC_LOAD_LOAD_H_
