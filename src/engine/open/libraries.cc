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
                               std::shared_ptr<const Mapping> bytes,
                               const Expectations& expected) {
  const alloy_backend& backend = channel->table()->backend();
  ALLOY_TRY(expected.CheckTable(backend.name, backend.version, backend.abi));
  return LoadedLibrary{std::move(channel), expected.Warnings(),
                       expected.Describe(std::move(bytes))};
}

}  // namespace

// Ends the wait of other threads on every way out, exceptions included: with the channel,
// or, because a failed load may be tried again, without the entry. If the code is mapped,
// the entry stays, so that the next try maps nothing more.
class Libraries::Finish {
 public:
  Finish(Libraries& libraries, std::shared_ptr<Entry> entry)
      : libraries_(libraries), entry_(std::move(entry)) {}
  ~Finish() {
    {
      const auto entries = libraries_.entries_.Write();
      entry_->channel = channel_;
      entry_->is_loading = false;
      if (channel_ == nullptr && entry_->code.init == nullptr) {
        entries->remove(entry_);
      }
    }
    libraries_.ends_.fetch_add(1, std::memory_order_release);
    libraries_.ends_.notify_all();
  }
  Finish(const Finish&) = delete;
  Finish& operator=(const Finish&) = delete;

  void Keep(std::shared_ptr<Channel> channel) { channel_ = std::move(channel); }

 private:
  Libraries& libraries_;
  const std::shared_ptr<Entry> entry_;
  std::shared_ptr<Channel> channel_;
};

// An entry with a channel never changes its library and never goes away.
std::shared_ptr<const Libraries::Entry> Libraries::FindLoaded(std::string_view sha256) {
  if (sha256.empty()) return nullptr;
  const auto entries = entries_.Read();
  // One that is still being loaded may fail, and go away.
  const auto found = std::ranges::find_if(*entries, [&](const auto& entry) {
    return entry->channel != nullptr && entry->file.sha256 == sha256;
  });
  return found != entries->end() ? *found : nullptr;
}

std::shared_ptr<Libraries::Entry> Libraries::FindOrBegin(const FileIdentity& file) {
  const uint32_t process = entries_.mark().Number();
  for (;;) {
    const uint32_t seen = ends_.load(std::memory_order_acquire);
    {
      auto entries = entries_.Read();
      const auto found = std::ranges::find_if(
          *entries, [&](const auto& one) { return one->file.IsSameFile(file); });
      auto entry = found != entries->end() ? *found : nullptr;
      if (entry != nullptr && entry->channel != nullptr) {
        // It may have come without a certificate: the next signed load finds it by digest.
        if (entry->file.sha256.empty()) {
          entries.BeginToWrite();
          entry->file.sha256 = file.sha256;
        }
        return entry;
      }
      if (entry != nullptr && !entry->is_loading) {
        entries.BeginToWrite();
        entry->is_loading = true;
        entry->process = process;
        return entry;
      }
      // The thread that loads it may be one of the parent, which is not here to finish.
      if (entry == nullptr || entry->process != process) {
        auto begun = std::make_shared<Entry>();
        begun->file = file;
        begun->process = process;
        Entries& all = entries.BeginToWrite();
        all.remove(entry);
        all.push_back(begun);
        return begun;
      }
    }
    ends_.wait(seen, std::memory_order_acquire);
  }
}

// That a file is loaded does not make another statement about it true.
Result<LoadedLibrary> Libraries::Reuse(const Entry& entry, const Expectations& expected) {
  if (!entry.is_linked) ALLOY_TRY(expected.CheckNeeded(entry.needed));
  return Finished(entry.channel, entry.file.bytes, expected);
}

Result<LoadedLibrary> Libraries::LoadNew(const std::shared_ptr<Entry>& entry,
                                         Verified verified) {
  Finish finish(*this, entry);
  const Expectations expected = verified.expectations();
  ALLOY_ASSIGN_OR_RETURN(Cleared cleared, std::move(verified).Clear());
  // Written before others see the channel.
  entry->needed = cleared.needed();
  entry->is_linked = cleared.is_linked();
  ALLOY_ASSIGN_OR_RETURN(auto channel, opener_->Open(std::move(cleared), &entry->code));
  finish.Keep(channel);
  return Finished(std::move(channel), entry->file.bytes, expected);
}

Result<LoadedLibrary> Libraries::Load(const Policy& policy) {
  ALLOY_TRY(opener_->CheckUsable().WithPrefix(policy.library + ": "));
  ALLOY_ASSIGN_OR_RETURN(Candidate candidate, admitter_.Open(policy));
  if (const auto loaded = FindLoaded(candidate.signed_sha256()); loaded != nullptr) {
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
