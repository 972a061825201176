// SPDX-License-Identifier: MIT
#include "port/os_failure.h"

#include <cerrno>
#include <string>

#include "port/fd.h"

namespace alloy::core {
namespace {

struct Shortage {
  int error;
  const char* remedy;
};

constexpr Shortage kShortages[] = {
    {ENOMEM, "free memory, or raise the memory limit of this process or container"},
    {ENOSPC, "free memory, or raise the memory limit of this process or container"},
    {EMFILE, "raise the limit on open files (ulimit -n)"},
    {ENFILE, "raise the limit on open files of the machine (sysctl fs.file-max)"},
    {EAGAIN, "raise the limit on processes (ulimit -u, or pids.max of the cgroup)"},
    {EFBIG, "raise the limit on the size of files (ulimit -f)"},
};

}  // namespace

Status OsFailure(std::string_view what, int error) {
  std::string text = std::string(what) + ": " + ErrorText(error);
  for (const Shortage& shortage : kShortages) {
    if (error != shortage.error) continue;
    return Fail(ALLOY_EXHAUSTED, std::move(text) + "; " + shortage.remedy);
  }
  return Fail(ALLOY_UNSUPPORTED, std::move(text));
}

}  // namespace alloy::core
