// SPDX-License-Identifier: MIT
#include "engine/open/libraries.h"

#include <algorithm>
#include <utility>

#include "engine/channel/scope.h"
#include "engine/channel/services.h"

namespace alloy::core {
namespace {

// Compare what was loaded with what was expected.
Result<LoadedLibrary> Finished(std::shared_ptr<Channel> channel,
                               const Expectations& expected) {
  const alloy_backend& backend = channel->table()->backend();
  ALLOY_TRY(expected.CheckTable(backend.name, backend.version, backend.abi));
  return LoadedLibrary{std::move(channel), expected.Warnings()};
}

}  // namespace

// Ends the wait of other threads on every way out, exceptions included: with the channel,
// or, because a failed load may be tried again, without the entry.
class Libraries::Finish {
 public:
  Finish(Libraries& libraries, Entries::iterator entry)
      : libraries_(libraries), entry_(entry) {}
  ~Finish() {
    {
      const std::lock_guard lock(libraries_.mutex_);
      if (channel_ != nullptr) {
        entry_->channel = channel_;
      } else {
        libraries_.entries_.erase(entry_);
      }
    }
    libraries_.loaded_.notify_all();
  }
  Finish(const Finish&) = delete;
  Finish& operator=(const Finish&) = delete;

  void Keep(std::shared_ptr<Channel> channel) { channel_ = std::move(channel); }

 private:
  Libraries& libraries_;
  const Entries::iterator entry_;
  std::shared_ptr<Channel> channel_;
};

// An entry with a channel never changes its library and never goes away.
const Libraries::Entry* Libraries::FindLoaded(std::string_view sha256) {
  if (sha256.empty()) return nullptr;
  const std::lock_guard lock(mutex_);
  // One that is still being loaded may fail, and go away.
  const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return entry.channel != nullptr && entry.file.sha256 == sha256;
  });
  return found != entries_.end() ? &*found : nullptr;
}

Libraries::Entries::iterator Libraries::FindOrBegin(const FileIdentity& file) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto entry = std::ranges::find_if(
        entries_, [&](const Entry& one) { return one.file.IsSameFile(file); });
    if (entry == entries_.end()) {
      return entries_.insert(entry, Entry{file, nullptr, {}, false});
    }
    if (entry->channel != nullptr) {
      // It may have come without a certificate: the next signed load finds it by digest.
      if (entry->file.sha256.empty()) entry->file.sha256 = file.sha256;
      return entry;
    }
    loaded_.wait(lock);
  }
}

// That a file is loaded does not make another statement about it true.
Result<LoadedLibrary> Libraries::Reuse(const Entry& entry, const Expectations& expected) {
  if (!entry.is_linked) ALLOY_TRY(expected.CheckNeeded(entry.needed));
  return Finished(entry.channel, expected);
}

Result<LoadedLibrary> Libraries::LoadNew(Entries::iterator entry, Verified verified) {
  Finish finish(*this, entry);
  const Expectations expected = verified.expectations();
  ALLOY_ASSIGN_OR_RETURN(Cleared cleared, std::move(verified).Clear());
  // Written before others see the channel.
  entry->needed = cleared.needed();
  entry->is_linked = cleared.is_linked();
  ALLOY_ASSIGN_OR_RETURN(auto channel, opener_->Open(std::move(cleared)));
  finish.Keep(channel);
  return Finished(std::move(channel), expected);
}

Result<LoadedLibrary> Libraries::Load(const Policy& policy) {
  ALLOY_ASSIGN_OR_RETURN(Candidate candidate, admitter_.Open(policy));
  if (const Entry* loaded = FindLoaded(candidate.signed_sha256()); loaded != nullptr) {
    ALLOY_ASSIGN_OR_RETURN(const Expectations expected, std::move(candidate).Confirm());
    return Reuse(*loaded, expected);
  }
  ALLOY_ASSIGN_OR_RETURN(Sealed sealed, std::move(candidate).Seal());
  ALLOY_ASSIGN_OR_RETURN(Verified verified, std::move(sealed).Verify());
  const auto entry = FindOrBegin(verified.identity());
  if (entry->channel != nullptr) return Reuse(*entry, verified.expectations());
  return LoadNew(entry, std::move(verified));
}

}  // namespace alloy::core
