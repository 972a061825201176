// SPDX-License-Identifier: MIT
//
// From a cleared library to a backend's table: the only place where foreign code runs
// first.
#ifndef ALLOY_SRC_LOAD_LOAD_H_
#define ALLOY_SRC_LOAD_LOAD_H_

#include <atomic>
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

// A library that the loader has mapped, for the life of the process. A value.
struct LoadedCode {
  decltype(&alloy_backend_init) init = nullptr;  // NULL: none yet
};

// The loader of one host.
//
// Threads  shared.
class Loader {
 public:
  explicit Loader(LoadFrom from) : from_(from) {}

  // Map a library, which runs its constructors.
  //   Takes    library, whatever the outcome.
  //   Fails    REFUSED with NO_PROC, LOADER or IDENTITY.
  Result<LoadedCode> Map(Cleared library);

  // Whether this host may load anything more.
  //   Fails    REFUSED with IDENTITY: the loader once mapped other bytes than the verified
  //            ones. Their constructors may have run, so nothing here can be relied on.
  Status CheckUsable() const;

 private:
  const LoadFrom from_;
  std::atomic<bool> is_spoilt_{false};
};

// Initialise a backend that is mapped.
//
// Services and scope go to alloy_backend_init. A backend that returns no table has left
// its reason in the scope; the reason of the status is INIT then. A later call tries
// again.
//
//   Borrows  services, scope.
//   Fails    REFUSED with INIT, ABI or TABLE.
Result<std::shared_ptr<const BackendTable>> InitialiseBackend(
    const LoadedCode& code, const alloy_services* services, alloy_scope* scope);

}  // namespace alloy::core

#endif  // ALLOY_SRC_LOAD_LOAD_H_
