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
  // Whatever came of it: the loader may know the descriptor's name now, and a library
  // that is loaded under it must not be mistaken for another.
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
  Finish finish(*this, mine);
  auto table = Initialise(library);
  if (table.ok()) finish.Keep(*table);
  return table;
}

}  // namespace alloy::core
