// SPDX-License-Identifier: MIT
//
// The libraries that one host has loaded. None is ever unloaded, and the same bytes are
// not loaded twice, however many bridges ask for them.
#ifndef ALLOY_SRC_ENGINE_LIBRARIES_H_
#define ALLOY_SRC_ENGINE_LIBRARIES_H_

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "load/backend_table.h"
#include "port/fd.h"

namespace alloy::core {

// Threads  shared.
class Libraries {
 public:
  // Read, seal, look through and load. Sameness is that of all bytes of two sealed
  // copies.
  //   Fails  REFUSED; the text names the file.
  Result<std::shared_ptr<const BackendTable>> Load(const std::string& path);

 private:
  struct Entry {
    Mapping bytes;
    // NULL while one thread loads it. No lock is held then: constructors may do anything.
    std::shared_ptr<const BackendTable> table;
  };
  using Entries = std::list<Entry>;

  class Finish;

  Entries::iterator Find(const Mapping& bytes);  // under mutex_

  std::mutex mutex_;
  std::condition_variable loaded_;
  Entries entries_;  // guarded by mutex_
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_LIBRARIES_H_
