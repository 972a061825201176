// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "machine.h"

namespace arrowalloy {
namespace {

// MFD_EXEC, which the kernel headers of the oldest supported distribution lack.
constexpr unsigned kExecutable = 0x10;

std::string ErrorText() { return std::generic_category().message(errno); }

Finding Fit(std::string name, std::string found, std::string use) {
  return {.name = std::move(name),
          .fit = true,
          .found = std::move(found),
          .use = std::move(use),
          .fix = {}};
}

Finding Unfit(std::string name, std::string why, std::string use, std::string fix) {
  return {.name = std::move(name),
          .fit = false,
          .found = std::move(why),
          .use = std::move(use),
          .fix = std::move(fix)};
}

Finding CheckRelease() {
  utsname names{};
  uname(&names);
  return Fit("kernel",
             fmt::format("{} {} {}", names.sysname, names.release, names.machine),
             "Linux on x86-64 or arm64");
}

Finding CheckProc() {
  const std::string use = "loading: a library is opened as /proc/PID/fd/N";
  if (access("/proc/self/fd", X_OK) == 0) return Fit("/proc", "mounted", use);
  return Unfit("/proc", ErrorText(), use, "mount -t proc proc /proc");
}

// Make a sealed memfd and map it for execution, as each load does.
Finding CheckSealedMemory() {
  const std::string use = "loading: the verified bytes are the bytes that run";
  const std::string fix = "sysctl vm.memfd_noexec=0";
  int fd = static_cast<int>(syscall(SYS_memfd_create, "arrowalloy",
                                    MFD_CLOEXEC | MFD_ALLOW_SEALING | kExecutable));
  if (fd < 0 && errno == EINVAL) {  // kernels before 6.3 do not know MFD_EXEC
    fd = static_cast<int>(
        syscall(SYS_memfd_create, "arrowalloy", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  }
  if (fd < 0) return Unfit("sealed memory", ErrorText(), use, fix);
  const long page = sysconf(_SC_PAGESIZE);
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  std::string why;
  if (ftruncate(fd, page) != 0 || fcntl(fd, F_ADD_SEALS, seals) != 0) {
    why = ErrorText();
  } else {
    void* code = mmap(nullptr, static_cast<size_t>(page), PROT_READ | PROT_EXEC,
                      MAP_PRIVATE, fd, 0);
    if (code == MAP_FAILED) {
      why = "it cannot be mapped for execution: " + ErrorText();
    } else {
      munmap(code, static_cast<size_t>(page));
    }
  }
  close(fd);
  if (!why.empty()) return Unfit("sealed memory", why, use, fix);
  std::ifstream setting("/proc/sys/vm/memfd_noexec");
  std::string value;
  if (setting >> value) value = ", vm.memfd_noexec is " + value;
  return Fit("sealed memory", "memfd with four seals, executable" + value, use);
}

}  // namespace

std::vector<Finding> CheckKernel() {
  return {CheckRelease(), CheckProc(), CheckSealedMemory()};
}

}  // namespace arrowalloy
