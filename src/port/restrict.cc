// SPDX-License-Identifier: MIT
#include "port/restrict.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <span>
#include <string_view>
#include <utility>

#include "port/fd.h"
#include "port/landlock.h"
#include "port/system_call_filter.h"

namespace alloy::core {
namespace {

// An errno, and what it was about; a text without an error is worth knowing.
struct Outcome {
  int error = 0;
  std::string text = {};
};

Outcome ClearEnvironment(const RestrictOptions&) { return {::clearenv()}; }

Outcome EndWithHost(const RestrictOptions& options) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return {errno};
  // The host may have ended before.
  if (::getppid() != options.host) return {ESRCH, "the host has ended"};
  return {};
}

int CloseRange(unsigned first, unsigned last) {
  constexpr long kCloseRange = 436;  // from Linux 5.9
  if (::syscall(kCloseRange, first, last, 0) == 0) return 0;
  if (errno != ENOSYS) return errno;
  const long most = ::sysconf(_SC_OPEN_MAX);
  for (unsigned fd = first; fd <= last && static_cast<long>(fd) < most; ++fd) {
    ::close(static_cast<int>(fd));
  }
  return 0;
}

Outcome CloseDescriptors(const RestrictOptions& options) {
  std::vector<int> keep = options.keep;
  std::sort(keep.begin(), keep.end());
  unsigned first = 3;
  for (const int fd : keep) {
    const auto number = static_cast<unsigned>(fd);
    if (fd < 0 || number < first) continue;
    if (number > first) {
      if (const int error = CloseRange(first, number - 1); error != 0) return {error};
    }
    first = number + 1;
  }
  return {CloseRange(first, UINT_MAX)};
}

// The host can go on without this worker, but not the other way round.
Outcome BeKilledFirst(const RestrictOptions&) {
  const Fd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (!file) return {errno, "/proc/self/oom_score_adj"};
  constexpr std::string_view kMost = "1000";
  return {WriteFully(file, std::as_bytes(std::span(kMost)))};
}

// Lower a limit for good. One that is lower already stays.
int LimitTo(decltype(RLIMIT_CORE) resource, uint64_t most) {
  struct rlimit limit;
  if (::getrlimit(resource, &limit) != 0) return errno;
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, most);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_cur, limit.rlim_max);
  return ::setrlimit(resource, &limit) == 0 ? 0 : errno;
}

// The shadow memory of a sanitizer is above every limit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kHasShadow = true;
#else
constexpr bool kHasShadow = false;
#endif

Outcome SetLimits(const RestrictOptions& options) {
  // Not 0, which still feeds a program that the machine has for core dumps. 1 stops that,
  // and is too small for a file.
  if (const int error = LimitTo(RLIMIT_CORE, 1); error != 0)
    return {error, "RLIMIT_CORE"};
  // A write then returns EFBIG, without the signal that would end the worker.
  ::signal(SIGXFSZ, SIG_IGN);
  if (const int error = LimitTo(RLIMIT_FSIZE, 0); error != 0) {
    return {error, "RLIMIT_FSIZE"};
  }
  if (const int error = LimitTo(RLIMIT_NOFILE, options.most_descriptors); error != 0) {
    return {error, "RLIMIT_NOFILE"};
  }
  if (options.most_heap == 0 || kHasShadow) return {};
  const int error = LimitTo(RLIMIT_DATA, options.most_heap);
  return error == 0 ? Outcome() : Outcome{error, "RLIMIT_DATA"};
}

Outcome LimitStacks(const RestrictOptions& options) {
  if (const int error = LimitTo(RLIMIT_STACK, options.stack_size); error != 0) {
    return {error, "RLIMIT_STACK"};
  }
  // glibc has read the limit at the start of the program.
  pthread_attr_t attributes;
  if (const int error = ::pthread_attr_init(&attributes); error != 0) return {error};
  int error = ::pthread_attr_setstacksize(&attributes, options.stack_size);
  if (error == 0) error = ::pthread_setattr_default_np(&attributes);
  ::pthread_attr_destroy(&attributes);
  return {error};
}

// Privileges and Landlock belong to a thread. A library that is already loaded may have
// started others.
bool HasOtherThreads() {
  struct stat tasks;
  constexpr nlink_t kOfOneThread = 3;  // a folder has two links, and one for each in it
  return ::stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > kOfOneThread;
}

Outcome TooLate() { return {EBUSY, "other threads run already, and would stay free"}; }

// Without capabilities, a worker of root can neither raise its limits again nor trace a
// host that has some.
Outcome DropPrivileges(const RestrictOptions&) {
  if (HasOtherThreads()) return TooLate();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return {errno, "no_new_privs"};
  struct __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3,
                                         .pid = 0};
  const struct __user_cap_data_struct none[2]{};
  if (::syscall(SYS_capset, &header, none) != 0) return {errno, "capset"};
  return {};
}

// What a version does not handle stays open if there is no seccomp.
std::string VersionText(int version) {
  const char* open = version >= 6   ? ""
                     : version >= 4 ? ", files and TCP only"
                                    : ", files only";
  return "version " + std::to_string(version) + open;
}

Outcome RestrictToFiles(const RestrictOptions& options) {
  if (HasOtherThreads()) return TooLate();
  int version = 0;
  const int error = RestrictFiles(options.readable, &version);
  switch (error) {
    case 0:
      return {0, VersionText(version)};
    case ENOSYS:
      return {error, "the kernel has no Landlock (CONFIG_SECURITY_LANDLOCK)"};
    case EOPNOTSUPP:
      return {error, "Landlock is off; add landlock to lsm= of the kernel command line"};
    case EPERM:
      return {error, "no_new_privs is not set, or a seccomp profile refuses Landlock"};
    default:
      return {error};
  }
}

Outcome FilterSystemCalls(const RestrictOptions&) {
  const int error = RestrictSystemCalls();
  switch (error) {
    case 0:
      return {};
    case ENOSYS:
    case EINVAL:
      return {error, "the kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)"};
    case EACCES:
    case EPERM:
      return {error, "no_new_privs is not set, or a seccomp profile refuses filters"};
    default:
      return {error};
  }
}

struct Step {
  Restriction restriction;
  const char* name;
  Outcome (*apply)(const RestrictOptions&);
};

// In this order: files of /proc are opened before Landlock, and seccomp refuses most of
// what the other steps do.
constexpr Step kSteps[kRestrictionCount] = {
    {Restriction::kEnvironment, "environment", ClearEnvironment},
    {Restriction::kCommonEnd, "common end", EndWithHost},
    {Restriction::kDescriptors, "descriptors", CloseDescriptors},
    {Restriction::kOomKiller, "OOM killer", BeKilledFirst},
    {Restriction::kLimits, "rlimits", SetLimits},
    {Restriction::kStackSize, "stack size", LimitStacks},
    {Restriction::kPrivileges, "privileges", DropPrivileges},
    {Restriction::kLandlock, "Landlock", RestrictToFiles},
    {Restriction::kSeccomp, "seccomp", FilterSystemCalls},
};

}  // namespace

const char* RestrictionName(Restriction restriction) {
  for (const Step& step : kSteps) {
    if (step.restriction == restriction) return step.name;
  }
  return "unknown";
}

std::string Restrictions::Names() const {
  std::string names;
  for (const Step& step : kSteps) {
    if (!Has(step.restriction)) continue;
    if (!names.empty()) names += ", ";
    names += step.name;
  }
  return names;
}

std::vector<RestrictStep> Restrict(const RestrictOptions& options, Restrictions wanted) {
  std::vector<RestrictStep> steps;
  steps.reserve(kRestrictionCount);
  for (const Step& step : kSteps) {
    if (!wanted.Has(step.restriction)) continue;
    Outcome outcome = step.apply(options);
    if (outcome.error != 0) {
      if (!outcome.text.empty()) outcome.text += ": ";
      outcome.text += ErrorText(outcome.error);
    }
    steps.push_back({.restriction = step.restriction,
                     .reached = outcome.error == 0,
                     .text = std::move(outcome.text)});
  }
  return steps;
}

Restrictions Reached(const std::vector<RestrictStep>& steps) {
  Restrictions reached;
  for (const RestrictStep& step : steps) {
    if (step.reached) reached.Add(step.restriction);
  }
  return reached;
}

}  // namespace alloy::core
