// SPDX-License-Identifier: MIT
//
// The libraries that one host has loaded. None is ever unloaded, and the same file is
// loaded only once, for any number of bridges.
#ifndef ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_
#define ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_

#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admit/admit.h"
#include "base/result.h"
#include "engine/channel/channel.h"
#include "port/fork_guarded.h"

namespace alloy::core {

struct LoadedLibrary {
  std::shared_ptr<Channel> channel;
  std::vector<std::string> warnings;  // for the log of the host
  SourceFile file;
};

// Threads  shared.
class Libraries {
 public:
  // What is loaded is opened by `opener`. Borrows mark, as long as this lives.
  Libraries(std::unique_ptr<ChannelOpener> opener, MayNeed may_need, ProcessMark& mark)
      : opener_(std::move(opener)), admitter_(std::move(may_need)), entries_(mark) {}

  // Admit a library and load it, or find it among the loaded ones. Two files are the same
  // if their signed SHA-256 digests match; if one came without a certificate, all bytes
  // of both sealed copies are compared. A file whose signed digest is loaded is only
  // hashed.
  //   Fails  REFUSED; the text names the file.
  Result<LoadedLibrary> Load(const Policy& policy);

  Admitter& admitter() { return admitter_; }

 private:
  struct Entry {
    FileIdentity file;  // of the archive, if it is one
    // One thread loads it, and may write what follows. No lock is held then: constructors
    // may do anything.
    bool is_loading = true;
    // NULL while it is loading, and after a load that failed once the code was mapped.
    std::shared_ptr<Channel> channel;
    uint32_t process = 0;  // whose thread loads it
    LoadedCode code;
    // Of the library, once there is a channel.
    std::vector<std::string> needed;
    bool is_linked = false;
  };
  using Entries = std::list<std::shared_ptr<Entry>>;

  class Finish;

  static Result<LoadedLibrary> Reuse(const Entry& entry, const Expectations& expected);
  std::shared_ptr<const Entry> FindLoaded(std::string_view sha256);
  // The entry of the same file once it is loaded; otherwise one without a channel, which
  // the caller loads.
  std::shared_ptr<Entry> FindOrBegin(const FileIdentity& file);
  Result<LoadedLibrary> LoadNew(const std::shared_ptr<Entry>& entry, Verified verified);

  const std::unique_ptr<ChannelOpener> opener_;
  Admitter admitter_;
  // Counts the ends of loads, so that other threads can wait for one. A condition variable
  // would not survive a fork while a thread waits.
  std::atomic<uint32_t> ends_{0};
  ForkGuarded<Entries> entries_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_
