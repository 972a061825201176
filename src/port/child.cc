// SPDX-License-Identifier: MIT
#include "port/child.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "port/os_failure.h"

namespace alloy::core {
namespace {

// Of <linux/pidfd.h>, younger than the headers of the oldest machines that Alloy is built
// on. Linux 6.15 keeps the end of a process as long as somebody has its pidfd.
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroup;
  uint32_t ids[11];
  int32_t end;  // as waitpid gives it
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr uint64_t kInfoOfEnd = 1 << 3;
constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);

constexpr unsigned kSignalGroup = 1 << 2;  // PIDFD_SIGNAL_PROCESS_GROUP, from Linux 6.9
constexpr auto kByHandle = static_cast<idtype_t>(3);  // P_PIDFD, from Linux 5.4

bool SendSignal(const Fd& handle, int signal, unsigned flags) {
  return ::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, flags) == 0;
}

// waitid, without an end by signals. Returns an errno.
int WaitFor(const Fd& handle, int options, siginfo_t* info) {
  info->si_pid = 0;
  while (::waitid(kByHandle, static_cast<id_t>(handle.get()), info, WEXITED | options) !=
         0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

bool HasEnded(const Fd& handle) {
  struct pollfd watched{.fd = handle.get(), .events = POLLIN, .revents = 0};
  return ::poll(&watched, 1, 0) == 1;
}

ChildEnd EndOf(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return {.exit_code = info.si_status};
  return {.signal = info.si_status};
}

// The end of a process that somebody else has reaped.
ChildEnd EndOfReaped(const Fd& handle) {
  PidfdInfo info{.mask = kInfoOfEnd, .cgroup = 0, .ids = {}, .end = 0};
  if (::ioctl(handle.get(), kGetInfo, &info) != 0 || (info.mask & kInfoOfEnd) == 0) {
    return {};
  }
  if (WIFSIGNALED(info.end)) return {.signal = WTERMSIG(info.end)};
  return {.exit_code = WEXITSTATUS(info.end)};
}

// Opens the handle of a child that was just started.
//
// If the host ignores SIGCHLD or reaps every child, the child may be gone before, and its
// number may belong to another process. It gets the number only after the kernel has given
// all others, so that is nearly impossible; but a handle that is not of a living child, nor
// of an ended process, is given up.
int OpenHandle(int pid, Fd* out) {
  Fd handle = AboveStandard(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!handle) return errno;
  siginfo_t info;
  const int error = WaitFor(handle, WNOHANG | WNOWAIT, &info);
  if (error == ECHILD && !HasEnded(handle)) return ESRCH;
  if (error != 0 && error != ECHILD) return error;
  *out = std::move(handle);
  return 0;
}

}  // namespace

Result<Child> Child::Start(const ProgramStart& start) {
  const std::string what =
      "cannot start " +
      (start.image != nullptr ? "a program from a descriptor" : start.program);
  Child child;
  if (const int error = StartProgram(start, &child.pid_, &child.output_); error != 0) {
    return OsFailure(what, error);
  }
  child.owner_ = ::getpid();
  if (const int error = OpenHandle(child.pid_, &child.handle_); error != 0) {
    if (error == ESRCH) {
      return Fail(
          ALLOY_UNSUPPORTED,
          what + ": it ended at once, and this process reaps its children itself");
    }
    // Not reaped yet, or reaped by the wait here: the number is still its own.
    ::kill(-child.pid_, SIGKILL);
    while (::waitpid(child.pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    return OsFailure(what + ": cannot watch it", error);
  }
  return child;
}

Status Child::CheckMachine() {
  const Fd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!self) return OsFailure("pidfd_open", errno);
  if (!SendSignal(self, 0, 0)) return OsFailure("pidfd_send_signal", errno);
  // No process is its own child.
  siginfo_t info;
  const int error = WaitFor(self, WNOHANG | WNOWAIT, &info);
  return error == ECHILD ? Status() : OsFailure("waitid of a pidfd", error);
}

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  EndAndReap();
  pid_ = std::exchange(other.pid_, 0);
  owner_ = std::exchange(other.owner_, 0);
  handle_ = std::move(other.handle_);
  output_ = std::move(other.output_);
  end_ = std::exchange(other.end_, std::nullopt);
  return *this;
}

bool Child::Kill(int signal) const {
  // The handle of a child that was reaped leads to no process.
  if (!handle_ || ::getpid() != owner_) return false;
  return SendSignal(handle_, signal, 0);
}

std::optional<ChildEnd> Child::Reap(bool wait) {
  if (!handle_ || end_.has_value()) return end_;
  siginfo_t info;
  const int error = WaitFor(handle_, WNOWAIT | (wait ? 0 : WNOHANG), &info);
  if (error == 0 && info.si_pid == 0) return std::nullopt;
  // ECHILD also in a forked child of the process that started it.
  if (error != 0 && !HasEnded(handle_)) return std::nullopt;
  // What the child has started and left behind. By number only while the number is still
  // its own.
  if (!SendSignal(handle_, SIGKILL, kSignalGroup) && errno == EINVAL && error == 0) {
    ::kill(-pid_, SIGKILL);
  }
  end_ = error == 0 ? EndOf(info) : EndOfReaped(handle_);
  if (error == 0) WaitFor(handle_, WNOHANG, &info);
  return end_;
}

void Child::EndAndReap() {
  if (!handle_ || end_.has_value() || ::getpid() != owner_) return;
  Kill(SIGKILL);
  Reap(true);
}

}  // namespace alloy::core
