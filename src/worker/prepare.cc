// SPDX-License-Identifier: MIT
#include "worker/prepare.h"

#include <algorithm>
#include <string>
#include <vector>

#include "port/descriptors.h"
#include "port/system_library.h"
#include "wire/protocol.h"

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

// What the loader and the C library read by themselves. The libraries that a backend may
// need are mapped already.
std::vector<std::string> Readable(const LoadOrder& order) {
  std::vector<std::string> paths = {"/proc/self",
                                    "/etc/localtime",
                                    "/etc/ld.so.cache",
                                    "/etc/ld.so.preload",
                                    "/lib",
                                    "/lib64",
                                    "/usr/lib",
                                    "/usr/lib64",
                                    "/usr/local/lib",
                                    "/usr/share/zoneinfo",
                                    "/usr/share/locale",
                                    "/dev/null",
                                    "/dev/urandom",
                                    "/sys/devices/system/cpu",
                                    "/sys/fs/cgroup",
                                    "/sys/kernel/mm/transparent_hugepage"};
  if (order.plainly) paths.push_back(order.library);
  return paths;
}

}  // namespace

Restrictions PrepareFirst(const Fd& socket) {
  Restrictions first;
  first.Add(Restriction::kCommonEnd);
  first.Add(Restriction::kDescriptors);
  RestrictOptions options;
  options.host = MakerOf(socket);
  options.keep = {kControlFd, kSocketFd, kLibraryFd};
  return Reached(Restrict(options, first));
}

Status Prepare(const LoadOrder& order, Restrictions* reached) {
  ALLOY_TRY(LoadNeeded(order));
  RestrictOptions options;
  options.most_heap = static_cast<uint64_t>(order.heap_bytes);
  options.readable = Readable(order);
  const std::vector<RestrictStep> steps =
      Restrict(options, Restrictions::All().Without(*reached));
  for (const RestrictStep& step : steps) {
    if (step.reached) reached->Add(step.restriction);
  }
  const auto demanded = static_cast<uint32_t>(order.demanded);
  const Restrictions missing = Restrictions(demanded).Without(*reached);
  if (missing == Restrictions()) return Status();
  std::string why;
  for (const RestrictStep& step : steps) {
    if (step.reached || !missing.Has(step.restriction)) continue;
    why += (why.empty() ? "" : "; ") + std::string(RestrictionName(step.restriction)) +
           ": " + step.text;
  }
  return Fail(ALLOY_UNSUPPORTED,
              order.library +
                  ": the host demands a restriction of workers that is not "
                  "possible here (" +
                  why + "); arrowalloy doctor shows what this machine allows");
}

}  // namespace alloy::core
