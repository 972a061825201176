// SPDX-License-Identifier: MIT
#include "engine/open/libraries.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/channel/scope.h"
#include "load/load.h"

namespace alloy::core {
namespace {

bool SameBytes(const Mapping& a, const Mapping& b) {
  return Bytes(a).size() == Bytes(b).size() &&
         std::memcmp(Bytes(a).data(), Bytes(b).data(), Bytes(a).size()) == 0;
}

// Load and initialise; the descriptor stays open as soon as the loader has seen it.
Result<std::shared_ptr<const BackendTable>> Initialise(AdmittedLibrary& library,
                                                       bool plainly) {
  Scope scope(nullptr);
  // What was linked here has no path but that of its sealed copy.
  auto table = plainly && !library.was_archive
                   ? LoadBackendPlainly(library.path, &Services(), &scope)
                   : LoadBackend(library.sealed, &Services(), &scope);
  const Status status = table.status();
  // Whatever came of it: the loader may know the descriptor's name now, and a library
  // that is loaded under it must not be mistaken for another.
  library.sealed.Detach();
  if (status.ok()) return table;
  const std::string said = scope.TakeErrorText();
  if (status.reason() == ALLOY_REASON_INIT && !said.empty()) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_INIT, said)
        .WithPrefix(library.path + ": alloy_backend_init failed: ");
  }
  return status.WithPrefix(library.path + ": ");
}

// Whether what was loaded is what the statement describes.
Status CheckAgainst(const Verified& verified, const BackendTable& table) {
  const alloy_backend& backend = table.backend();
  return CheckTable(verified.statement, backend.name, backend.version, backend.abi);
}

}  // namespace

Libraries::Entries::iterator Libraries::Find(const AdmittedLibrary& library) {
  return std::ranges::find_if(entries_, [&](const Entry& entry) {
    if (entry.digest && library.digest) return *entry.digest == *library.digest;
    return SameBytes(entry.bytes, library.bytes);
  });
}

bool Libraries::Holds(std::string_view sha256) {
  const std::lock_guard lock(mutex_);
  // One that is still being loaded may fail, and go away.
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    return entry.table != nullptr && entry.digest && HexText(*entry.digest) == sha256;
  });
}

// Ends the wait of others on every way out, exceptions included: with the table, or,
// since what failed may be tried again, without the entry.
class Libraries::Finish {
 public:
  Finish(Libraries& libraries, Entries::iterator entry)
      : libraries_(libraries), entry_(entry) {}
  ~Finish() {
    {
      const std::lock_guard lock(libraries_.mutex_);
      if (table_ != nullptr) {
        entry_->table = table_;
      } else {
        libraries_.entries_.erase(entry_);
      }
    }
    libraries_.loaded_.notify_all();
  }
  Finish(const Finish&) = delete;
  Finish& operator=(const Finish&) = delete;

  void Keep(std::shared_ptr<const BackendTable> table) { table_ = std::move(table); }

 private:
  Libraries& libraries_;
  const Entries::iterator entry_;
  std::shared_ptr<const BackendTable> table_;
};

Libraries::Entries::iterator Libraries::FindOrBegin(AdmittedLibrary* library) {
  std::unique_lock lock(mutex_);
  for (auto entry = Find(*library); entry != entries_.end(); entry = Find(*library)) {
    if (entry->table != nullptr) {
      if (!entry->digest) entry->digest = library->digest;
      return entry;
    }
    loaded_.wait(lock);
  }
  return entries_.insert(
      entries_.end(),
      Entry{std::move(library->bytes), library->digest, nullptr, {}, false});
}

Result<std::shared_ptr<const BackendTable>> Libraries::LoadOnce(
    AdmittedLibrary* library) {
  const Entries::iterator entry = FindOrBegin(library);
  // An entry with a table never changes or goes away any more.
  if (entry->table != nullptr) {
    library->was_archive = entry->was_archive;
    ALLOY_TRY(CheckNeeds(*library, entry->needed));
    return entry->table;
  }
  Finish finish(*this, entry);
  ALLOY_TRY(LookThrough(Bytes(entry->bytes), library));
  if (const Status allowed = may_need_.Check(library->facts.needed); !allowed.ok()) {
    return allowed.WithPrefix(library->path + ": ");
  }
  auto table = Initialise(*library, plainly_);
  if (table.ok()) {
    entry->needed = library->facts.needed;  // before others see the table
    entry->was_archive = library->was_archive;
    finish.Keep(*table);
  }
  return table;
}

Result<LoadedLibrary> Libraries::Load(const std::string& path,
                                      const Admission& admission) {
  const IsHeld is_held = [this](std::string_view sha256) { return Holds(sha256); };
  ALLOY_ASSIGN_OR_RETURN(AdmittedLibrary library,
                         AdmitFile(path, admission, libcrypto_, is_held));
  LoadedLibrary loaded;
  ALLOY_ASSIGN_OR_RETURN(loaded.table, LoadOnce(&library));
  if (library.verified) {
    const Status agrees = CheckAgainst(*library.verified, *loaded.table);
    if (!agrees.ok()) return agrees.WithPrefix(path + ": ");
  }
  loaded.verified = std::move(library.verified);
  return loaded;
}

}  // namespace alloy::core
