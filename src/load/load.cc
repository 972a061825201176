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
    case LoadFault::kWrongMapping:
      return ALLOY_REASON_IDENTITY;
    case LoadFault::kLoader:
    case LoadFault::kNone:
      break;
  }
  return ALLOY_REASON_LOADER;
}

}  // namespace

Status Loader::CheckUsable() const {
  if (!is_spoilt_.load(std::memory_order_acquire)) return Status();
  return Fail(ALLOY_REFUSED, ALLOY_REASON_IDENTITY,
              "this host loads nothing more: the loader has mapped other bytes than the "
              "verified ones, and their code may have run; end this process and find out "
              "who replaced the library");
}

Result<LoadedCode> Loader::Map(Cleared library) {
  constexpr const char* kInit = "alloy_backend_init";
  ALLOY_TRY(CheckUsable());
  const bool by_path = from_ == LoadFrom::kPath && !library.is_linked();
  SymbolLookup found =
      by_path ? LoadFromPath(library, kInit) : LoadSealed(std::move(library), kInit);
  if (found.fault == LoadFault::kWrongMapping) {
    is_spoilt_.store(true, std::memory_order_release);
  }
  if (found.fault != LoadFault::kNone) {
    return Fail(ALLOY_REFUSED, ReasonOf(found.fault), std::move(found.text));
  }
  return LoadedCode{reinterpret_cast<decltype(&alloy_backend_init)>(found.symbol)};
}

Result<std::shared_ptr<const BackendTable>> InitialiseBackend(
    const LoadedCode& code, const alloy_services* services, alloy_scope* scope) {
  const alloy_backend* table = nullptr;
  std::string text;
  if (!EnterForeign(&text, [&] { table = code.init(services, scope); })) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_INIT, "alloy_backend_init: " + text);
  }
  if (table == nullptr) {
    return Fail(
        ALLOY_REFUSED, ALLOY_REASON_INIT,
        "the backend is faulty: its alloy_backend_init must return a table or an error");
  }
  return BackendTable::Make(table);
}

}  // namespace alloy::core
