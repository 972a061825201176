// SPDX-License-Identifier: MIT
//
// A library that may be executed: the only thing that the loader takes.
//
// Only the last step of admission makes one, so the compiler holds the promise that
// nothing unverified runs. The type is in port because both sides may include port:
// admission (src/admit) makes it, the loader (port/library.h, src/load) takes it, and
// neither includes the other. So a process that only loads does not link src/trust.
#ifndef ALLOY_SRC_PORT_CLEARED_H_
#define ALLOY_SRC_PORT_CLEARED_H_

#include <string>
#include <utility>
#include <vector>

#include "port/fd.h"

namespace alloy::core {

// Threads  serial. Move-only.
class Cleared {
 public:
  // The file as the host named it, for texts.
  const std::string& path() const { return path_; }
  // Memory under all four seals; what it holds is a shared library.
  const Fd& sealed() const { return sealed_; }
  // The file is a static archive, and `sealed` holds the library that was linked from it.
  bool is_linked() const { return is_linked_; }
  // The SONAMEs that the library needs, in the order of the file.
  const std::vector<std::string>& needed() const { return needed_; }

  // Leave the descriptor open for the life of the process.
  void KeepOpen() && { sealed_.Detach(); }

 private:
  friend class Verified;          // the step before, in src/admit
  friend class InheritedLibrary;  // in a worker, whose host took that step
  friend struct ClearedForTest;   // of tests and benchmarks, in tests/support

  Cleared(Fd sealed, std::string path, bool is_linked, std::vector<std::string> needed)
      : sealed_(std::move(sealed)),
        path_(std::move(path)),
        is_linked_(is_linked),
        needed_(std::move(needed)) {}

  Fd sealed_;
  std::string path_;
  bool is_linked_;
  std::vector<std::string> needed_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_CLEARED_H_
