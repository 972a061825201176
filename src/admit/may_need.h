// SPDX-License-Identifier: MIT
//
// What the libraries of a host may need beside the runtimes of C and C++, on the host's
// own trust.
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

  // Whether a library that needs these may be loaded. When it needs more than runtimes
  // and SONAMEs of the list, the files of the list are loaded, in its order; what they
  // run as they start runs here.
  //   Fails  REFUSED with NEEDED: one is not allowed, or a file cannot be loaded.
  // `not_allowed`, unless NULL, gets all that are not allowed, in their order; with a
  // file that cannot be loaded, all that one of the files would have to answer to.
  Status Check(const std::vector<std::string>& needed,
               std::vector<std::string>* not_allowed = nullptr) const;

 private:
  std::vector<std::string> sonames_, paths_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_MAY_NEED_H_
