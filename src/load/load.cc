// SPDX-License-Identifier: MIT
#include "load/load.h"

#include <string>
#include <utility>

#include "base/guard.h"
#include "port/library.h"

namespace alloy::core {
namespace {

int32_t ReasonOf(LoadFault fault) {
  switch (fault) {
    case LoadFault::kNoProc:
      return ALLOY_REASON_NO_PROC;
    case LoadFault::kIdentity:
      return ALLOY_REASON_IDENTITY;
    case LoadFault::kLoader:
    case LoadFault::kNone:
      break;
  }
  return ALLOY_REASON_LOADER;
}

Result<std::shared_ptr<const BackendTable>> Initialise(SymbolLookup found,
                                                       const alloy_services* services,
                                                       alloy_scope* scope) {
  if (found.fault != LoadFault::kNone) {
    return Fail(ALLOY_REFUSED, ReasonOf(found.fault), std::move(found.text));
  }
  const auto init = reinterpret_cast<decltype(&alloy_backend_init)>(found.symbol);
  const alloy_backend* table = nullptr;
  std::string text;
  if (!EnterForeign(&text, [&] { table = init(services, scope); })) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_INIT, "alloy_backend_init: " + text);
  }
  if (table == nullptr) {
    return Fail(
        ALLOY_REFUSED, ALLOY_REASON_INIT,
        "the backend is faulty: its alloy_backend_init must return a table or an error");
  }
  return BackendTable::Make(table);
}

}  // namespace

Result<std::shared_ptr<const BackendTable>> LoadBackend(Cleared library, LoadFrom from,
                                                        const alloy_services* services,
                                                        alloy_scope* scope) {
  constexpr const char* kInit = "alloy_backend_init";
  const bool by_path = from == LoadFrom::kPath && !library.is_linked();
  return Initialise(
      by_path ? LoadFromPath(library, kInit) : LoadSealed(std::move(library), kInit),
      services, scope);
}

}  // namespace alloy::core
