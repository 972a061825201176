// SPDX-License-Identifier: MIT
#include "engine/libraries.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "admit/admit.h"
#include "engine/scope.h"
#include "load/load.h"

namespace alloy::core {
namespace {

bool SameBytes(const Mapping& a, const Mapping& b) {
  return Bytes(a).size() == Bytes(b).size() &&
         std::memcmp(Bytes(a).data(), Bytes(b).data(), Bytes(a).size()) == 0;
}

// Load and initialise; the descriptor stays open as soon as the loader has seen it.
Result<std::shared_ptr<const BackendTable>> Initialise(AdmittedLibrary& library) {
  Scope scope(nullptr);
  auto table = LoadBackend(library.sealed, &Services(), &scope);
  const Status status = table.status();
  if (!status.ok() && (status.reason() == ALLOY_REASON_LOADER ||
                       status.reason() == ALLOY_REASON_NO_PROC)) {
    return status.WithPrefix(library.path + ": ");
  }
  library.sealed.Detach();
  if (status.ok()) return table;
  const std::string said = scope.TakeText();
  if (status.reason() == ALLOY_REASON_INIT && !said.empty()) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_INIT, said)
        .WithPrefix(library.path + ": alloy_backend_init failed: ");
  }
  return status.WithPrefix(library.path + ": ");
}

}  // namespace

Libraries::Entries::iterator Libraries::Find(const Mapping& bytes) {
  return std::ranges::find_if(entries_,
                              [&](const Entry& e) { return SameBytes(e.bytes, bytes); });
}

Result<std::shared_ptr<const BackendTable>> Libraries::Load(const std::string& path) {
  ALLOY_ASSIGN_OR_RETURN(AdmittedLibrary library, AdmitLibrary(path));
  Entries::iterator mine;
  {
    std::unique_lock lock(mutex_);
    for (auto entry = Find(library.bytes); entry != entries_.end();
         entry = Find(library.bytes)) {
      if (entry->table != nullptr) return entry->table;
      loaded_.wait(lock);
    }
    mine = entries_.emplace(entries_.end(), Entry{std::move(library.bytes), nullptr});
  }
  auto table = Initialise(library);
  {
    const std::lock_guard lock(mutex_);
    if (table.ok()) {
      mine->table = *table;
    } else {
      entries_.erase(mine);  // what failed may be tried again
    }
  }
  loaded_.notify_all();
  return table;
}

}  // namespace alloy::core
