// SPDX-License-Identifier: MIT
#include "admit/may_need.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "admit/runtimes.h"
#include "port/system_library.h"

namespace alloy::core {
namespace {

Status NotAllowed(const std::string& soname) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_NEEDED,
              "needs " + soname +
                  ", which this host does not allow: link it statically and hidden, or "
                  "allow it when the host is made (may_need, MayNeed)");
}

}  // namespace

Result<MayNeed> MayNeed::Make(const char* const* list) {
  MayNeed made;
  for (; list != nullptr && *list != nullptr; ++list) {
    std::string entry = *list;
    const bool is_path = entry.find('/') != entry.npos;
    // The loader replaces $ORIGIN and similar; a trusted name must mean only itself.
    if (entry.empty() || entry.find('$') != entry.npos ||
        (is_path && !entry.starts_with('/'))) {
      return Fail(ALLOY_INVALID, "alloy_host_options.may_need: \"" + entry +
                                     "\" is neither a SONAME nor an absolute path");
    }
    (is_path ? made.paths_ : made.sonames_).push_back(std::move(entry));
  }
  return made;
}

MayNeed MayNeed::Elsewhere() const {
  MayNeed elsewhere = *this;
  elsewhere.loads_here_ = false;
  return elsewhere;
}

std::vector<std::string> MayNeed::Unsettled(
    const std::vector<std::string>& needed) const {
  std::vector<std::string> rest;
  std::ranges::copy_if(needed, std::back_inserter(rest), [&](const std::string& soname) {
    return !IsRuntime(soname) && std::ranges::find(sonames_, soname) == sonames_.end();
  });
  return rest;
}

Status MayNeed::Check(const std::vector<std::string>& needed,
                      std::vector<std::string>* not_allowed) const {
  std::vector<std::string> own;
  std::vector<std::string>& rest = not_allowed != nullptr ? *not_allowed : own;
  rest = Unsettled(needed);
  if (rest.empty()) return Status();
  if (paths_.empty()) return NotAllowed(rest.front());
  if (!loads_here_) {
    rest.clear();
    return Status();
  }

  ALLOY_TRY(CheckHasLoader());
  // Repeated for each library: the loader only counts what it has loaded already.
  std::vector<void*> files;
  for (const std::string& path : paths_) {
    std::string text;
    files.push_back(OpenSystemLibrary(path.c_str(), &text));
    if (files.back() == nullptr) {
      return Fail(ALLOY_REFUSED, ALLOY_REASON_NEEDED,
                  "a file of the host's may_need cannot be loaded: " + text);
    }
  }
  std::erase_if(rest, [&](const std::string& soname) {
    return std::ranges::any_of(
        files, [&](void* file) { return AnswersAs(file, soname.c_str()); });
  });
  return rest.empty() ? Status() : NotAllowed(rest.front());
}

}  // namespace alloy::core
