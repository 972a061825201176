// SPDX-License-Identifier: MIT
//
// The libraries that one host has loaded. None is ever unloaded, and the same bytes are
// not loaded twice, however many bridges ask for them.
#ifndef ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_
#define ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admit/admit.h"
#include "base/result.h"
#include "engine/open/may_need.h"
#include "load/backend_table.h"
#include "port/fd.h"

namespace alloy::core {

struct LoadedLibrary {
  std::shared_ptr<const BackendTable> table;
  std::optional<Verified> verified;  // with a certificate
};

// Threads  shared.
class Libraries {
 public:
  // plainly: the loader gets the file's own path and not the sealed copy, for debuggers.
  Libraries(bool plainly, MayNeed may_need)
      : plainly_(plainly), may_need_(std::move(may_need)) {}

  // Read, seal, verify, look through and load. Two files are the same when their SHA-256
  // is, or, where one of them came without a certificate, all bytes of two sealed copies.
  // With a certificate, a file whose signed digest is that of a loaded library is only
  // hashed.
  //   Fails  REFUSED; the text names the file.
  Result<LoadedLibrary> Load(const std::string& path, const Admission& admission);

  bool plainly() const { return plainly_; }
  const MayNeed& may_need() const { return may_need_; }
  LibcryptoSource& libcrypto() { return libcrypto_; }

 private:
  struct Entry {
    Mapping bytes;
    std::optional<Digest> digest;
    // NULL while one thread loads it. No lock is held then: constructors may do anything.
    std::shared_ptr<const BackendTable> table;
    std::vector<std::string> needed;  // once there is a table
    bool was_archive = false;
  };
  using Entries = std::list<Entry>;

  class Finish;

  bool Holds(std::string_view sha256);
  Entries::iterator Find(const AdmittedLibrary& library);  // under mutex_
  // The entry of the same bytes, once it is loaded; else a new one, which the caller
  // loads.
  Entries::iterator FindOrBegin(AdmittedLibrary* library);
  Result<std::shared_ptr<const BackendTable>> LoadOnce(AdmittedLibrary* library);

  const bool plainly_;
  const MayNeed may_need_;
  LibcryptoSource libcrypto_;
  std::mutex mutex_;
  std::condition_variable loaded_;
  Entries entries_;  // guarded by mutex_
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_
