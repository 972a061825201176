// SPDX-License-Identifier: MIT
//
// The libraries that backends of a host may need, in addition to the runtimes of C and
// C++. The host trusts them itself.
#ifndef ALLOY_SRC_ADMIT_MAY_NEED_H_
#define ALLOY_SRC_ADMIT_MAY_NEED_H_

#include <string>
#include <vector>

#include "base/result.h"

namespace alloy::core {

// Threads  immutable: shared.
class MayNeed {
 public:
  // SONAMEs, which the loader finds where it always does, and absolute paths. `list` ends
  // with NULL; NULL: none.
  //   Fails  INVALID: an entry is empty, or a path that is not absolute.
  static Result<MayNeed> Make(const char* const* list);

  // The same list, for libraries that are loaded in other processes: Check loads nothing
  // here, and leaves the names of Unsettled to the process that loads.
  MayNeed Elsewhere() const;

  // The names that are neither runtimes nor SONAMEs of the list: a file must answer to
  // each.
  std::vector<std::string> Unsettled(const std::vector<std::string>& needed) const;
  const std::vector<std::string>& paths() const { return paths_; }

  // Check that a library that needs these may be loaded. If it needs more than runtimes
  // and SONAMEs of the list, the files of the list are loaded, in its order, and their
  // constructors run.
  //   Fails  REFUSED with NEEDED: one is not allowed, or a file cannot be loaded.
  // `not_allowed`, unless NULL, gets all names that are not allowed, in their order. If a
  // file cannot be loaded: every name that no SONAME allows.
  Status Check(const std::vector<std::string>& needed,
               std::vector<std::string>* not_allowed = nullptr) const;

 private:
  std::vector<std::string> sonames_, paths_;
  bool loads_here_ = true;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_MAY_NEED_H_
