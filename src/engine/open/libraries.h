// SPDX-License-Identifier: MIT
//
// The libraries that one host has loaded. None is ever unloaded, and the same file is
// loaded only once, for any number of bridges.
#ifndef ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_
#define ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admit/admit.h"
#include "base/result.h"
#include "engine/channel/channel.h"

namespace alloy::core {

struct LoadedLibrary {
  std::shared_ptr<Channel> channel;
  std::vector<std::string> warnings;  // for the log of the host
};

// Threads  shared.
class Libraries {
 public:
  // What is loaded is opened by `opener`.
  Libraries(std::unique_ptr<ChannelOpener> opener, MayNeed may_need)
      : opener_(std::move(opener)), admitter_(std::move(may_need)) {}

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
    // NULL while one thread loads it. No lock is held then: constructors may do anything.
    std::shared_ptr<Channel> channel;
    // Of the library, once there is a channel.
    std::vector<std::string> needed;
    bool is_linked = false;
  };
  using Entries = std::list<Entry>;

  class Finish;

  static Result<LoadedLibrary> Reuse(const Entry& entry, const Expectations& expected);
  const Entry* FindLoaded(std::string_view sha256);
  // The entry of the same file once it is loaded; otherwise a new one without a channel,
  // which the caller loads.
  Entries::iterator FindOrBegin(const FileIdentity& file);
  Result<LoadedLibrary> LoadNew(Entries::iterator entry, Verified verified);

  const std::unique_ptr<ChannelOpener> opener_;
  Admitter admitter_;
  std::mutex mutex_;
  std::condition_variable loaded_;
  Entries entries_;  // guarded by mutex_
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_
