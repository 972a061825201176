// SPDX-License-Identifier: MIT
//
// From sealed memory to a backend's table: the one place where foreign code first runs.
#ifndef ALLOY_SRC_LOAD_LOAD_H_
#define ALLOY_SRC_LOAD_LOAD_H_

#include <memory>
#include <string>

#include "load/backend_table.h"
#include "port/fd.h"

namespace alloy::core {

// Load a library for the life of the process, and initialise it. `sealed` must stay open
// as long, whatever comes out.
//
// Services and scope are handed to alloy_backend_init. A backend that gives no table has
// left its reason in the scope; the status says ALLOY_REASON_INIT then.
//   Fails  REFUSED with NO_PROC, LOADER, IDENTITY, INIT, ABI or TABLE.
Result<std::shared_ptr<const BackendTable>> LoadBackend(const Fd& sealed,
                                                        const alloy_services* services,
                                                        alloy_scope* scope);

// The same from the file's own path, past the sealed copy: for debuggers and profilers,
// which find the library then. Whoever can write the file decides what runs.
Result<std::shared_ptr<const BackendTable>> LoadBackendPlainly(
    const std::string& path, const alloy_services* services, alloy_scope* scope);

}  // namespace alloy::core

#endif  // ALLOY_SRC_LOAD_LOAD_H_
