// SPDX-License-Identifier: MIT
#include "worker/prepare.h"

#include <algorithm>
#include <string>
#include <vector>

#include "port/system_library.h"

namespace alloy::core {
namespace {

// As in process (admit/may_need.cc), but here the constructors of these files cannot harm
// the host.
Status LoadNeeded(const LoadOrder& order) {
  if (order.sonames.empty()) return Status();
  std::vector<void*> files;
  for (const std::string& path : order.files) {
    std::string text;
    files.push_back(OpenSystemLibrary(path.c_str(), &text));
    if (files.back() == nullptr) {
      return Fail(
          ALLOY_REFUSED, ALLOY_REASON_NEEDED,
          order.library + ": a file of the host's may_need cannot be loaded: " + text);
    }
  }
  for (const std::string& soname : order.sonames) {
    const bool is_there = std::ranges::any_of(
        files, [&](void* file) { return AnswersAs(file, soname.c_str()); });
    if (is_there) continue;
    return Fail(ALLOY_REFUSED, ALLOY_REASON_NEEDED,
                order.library + ": needs " + soname +
                    ", which this host does not allow: link it statically and hidden, or "
                    "allow it when the host is made (may_need, MayNeed)");
  }
  return Status();
}

}  // namespace

Status Prepare(const LoadOrder& order, uint64_t* reached) {
  *reached = 0;
  return LoadNeeded(order);
}

}  // namespace alloy::core
