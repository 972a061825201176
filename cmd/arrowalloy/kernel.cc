// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "machine.h"

namespace arrowalloy {
namespace {

// Of kernel headers newer than the oldest distribution that this is built on.
constexpr unsigned kExecutable = 0x10;           // MFD_EXEC
constexpr int kSealFutureWrite = 0x10;           // F_SEAL_FUTURE_WRITE
constexpr uint32_t kLandlockVersion = 1U << 0U;  // LANDLOCK_CREATE_RULESET_VERSION
constexpr long kCreateRuleset = 444;             // SYS_landlock_create_ruleset
constexpr long kPidfdOpen = 434;                 // SYS_pidfd_open
constexpr long kCloseRange = 436;                // SYS_close_range

std::string ErrorText() { return std::generic_category().message(errno); }

Finding Yes(std::string name, std::string found, std::string use) {
  return {.name = std::move(name),
          .fit = true,
          .found = std::move(found),
          .use = std::move(use),
          .mend = {}};
}

Finding No(std::string name, std::string why, std::string use, std::string mend) {
  return {.name = std::move(name),
          .fit = false,
          .found = std::move(why),
          .use = std::move(use),
          .mend = std::move(mend)};
}

Finding LookAtRelease() {
  utsname names{};
  uname(&names);
  return Yes("kernel",
             fmt::format("{} {} {}", names.sysname, names.release, names.machine),
             "Linux on x86-64 or arm64");
}

Finding LookAtProc() {
  const std::string use = "loading: libraries are opened by /proc/PID/fd/N";
  if (access("/proc/self/fd", X_OK) == 0) return Yes("/proc", "mounted", use);
  return No("/proc", ErrorText(), use, "mount -t proc proc /proc");
}

// A sealed, executable memfd that is mapped to be run: what each load does.
Finding LookAtSealedMemory() {
  const std::string use = "loading: the bytes that were verified are those that run";
  const std::string mend = "sysctl vm.memfd_noexec=0";
  int fd = static_cast<int>(syscall(SYS_memfd_create, "arrowalloy",
                                    MFD_CLOEXEC | MFD_ALLOW_SEALING | kExecutable));
  if (fd < 0 && errno == EINVAL) {  // a kernel before 6.3 does not know the flag
    fd = static_cast<int>(
        syscall(SYS_memfd_create, "arrowalloy", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  }
  if (fd < 0) return No("sealed memory", ErrorText(), use, mend);
  const long page = sysconf(_SC_PAGESIZE);
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  std::string why;
  if (ftruncate(fd, page) != 0 || fcntl(fd, F_ADD_SEALS, seals) != 0) {
    why = ErrorText();
  } else {
    void* code = mmap(nullptr, static_cast<size_t>(page), PROT_READ | PROT_EXEC,
                      MAP_PRIVATE, fd, 0);
    if (code == MAP_FAILED) {
      why = "it cannot be run: " + ErrorText();
    } else {
      munmap(code, static_cast<size_t>(page));
    }
  }
  close(fd);
  if (!why.empty()) return No("sealed memory", why, use, mend);
  std::ifstream setting("/proc/sys/vm/memfd_noexec");
  std::string value;
  if (setting >> value) value = ", vm.memfd_noexec is " + value;
  return Yes("sealed memory", "memfd with four seals, executable" + value, use);
}

Finding LookAtInputSeal() {
  const std::string use = "isolated mode: a worker cannot write its input";
  const int fd = static_cast<int>(
      syscall(SYS_memfd_create, "arrowalloy", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const bool sealed =
      fd >= 0 &&
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | kSealFutureWrite) == 0;
  const std::string why = sealed ? "" : ErrorText();
  if (fd >= 0) close(fd);
  if (sealed) return Yes("write seal", "F_SEAL_FUTURE_WRITE", use);
  return No("write seal", why, use, "a kernel of 5.1 or newer");
}

Finding LookAtPidfd() {
  const std::string use = "isolated mode: a dead worker is noticed at once";
  const int fd = static_cast<int>(syscall(kPidfdOpen, getpid(), 0));
  if (fd < 0) return No("pidfd", ErrorText(), use, "a kernel of 5.3 or newer");
  close(fd);
  return Yes("pidfd", "pidfd_open", use);
}

Finding LookAtCloseRange() {
  const std::string use = "isolated mode: a worker holds no descriptor of the host";
  // A range in which nothing can be open.
  if (syscall(kCloseRange, ~0U, ~0U, 0) == 0) return Yes("close_range", "there", use);
  return No("close_range", ErrorText(), use, "a kernel of 5.9 or newer");
}

Finding LookAtLandlock() {
  const std::string use = "isolated mode: a worker reads and writes no files";
  const long version = syscall(kCreateRuleset, nullptr, 0, kLandlockVersion);
  if (version > 0) return Yes("Landlock", fmt::format("version {}", version), use);
  return No("Landlock", ErrorText(), use,
            "boot with lsm=landlock,..., on a kernel of 5.13 or newer");
}

Finding LookAtSeccomp() {
  const std::string use =
      "isolated mode: a worker opens no sockets and starts no programs";
  const uint32_t action = SECCOMP_RET_KILL_PROCESS;
  if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) {
    return Yes("seccomp", "filters that kill the process", use);
  }
  return No("seccomp", ErrorText(), use,
            "a kernel of 4.14 or newer with CONFIG_SECCOMP_FILTER");
}

Finding LookAtPrivileges() {
  const std::string use = "isolated mode: a worker gains no rights by running a program";
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0) {
    return Yes("no_new_privs", "there", use);
  }
  return No("no_new_privs", ErrorText(), use, "a kernel of 3.5 or newer");
}

}  // namespace

std::vector<Finding> LookAtKernel() {
  std::vector<Finding> findings = {LookAtRelease(), LookAtProc(), LookAtSealedMemory()};
  // The isolated mode works with what is there, says what it got, and can be told to
  // insist.
  for (Finding finding : {LookAtInputSeal(), LookAtPidfd(), LookAtCloseRange(),
                          LookAtLandlock(), LookAtSeccomp(), LookAtPrivileges()}) {
    finding.needed = false;
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace arrowalloy
