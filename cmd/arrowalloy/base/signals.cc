// SPDX-License-Identifier: MIT
#include "signals.h"

#include <fcntl.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "failure.h"
#include "leftovers.h"

namespace arrowalloy {
namespace {

// A handler has no argument for an object.
std::atomic<int> first_signal_fd{-1};

void EndBySignal(int signal) {
  const int saved = errno;
  if (signal != SIGPIPE) {
    const int fd = first_signal_fd.exchange(-1);
    const auto number = static_cast<unsigned char>(signal);
    if (fd >= 0 && write(fd, &number, 1) == 1) {
      errno = saved;
      return;
    }
  }
  RemoveLeftovers();
  _exit(static_cast<int>(ExitOfSignal(signal)));
}

constexpr std::string_view kNoMemory =
    "error[E0302]: out of memory\n"
    "help: close other programs, raise the limit (ulimit -v), or pass smaller inputs\n";

void Say(std::string_view text) {
  // Nothing can be done when this fails.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

// Libraries abort or crash when memory ends, far from any error. The cause is the memory if
// there is still none.
bool MemoryHasEnded() {
  constexpr size_t kLittle = size_t{64} << 20U;
  void* memory = mmap(nullptr, kLittle, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return true;
  munmap(memory, kLittle);
  return false;
}

void Crash(int signal) {
  RemoveLeftovers();
  if (signal != SIGQUIT && MemoryHasEnded()) {
    Say(kNoMemory);
    _exit(static_cast<int>(Exit::kMachine));
  }
  struct sigaction fallback{};
  fallback.sa_handler = SIG_DFL;
  sigaction(signal, &fallback, nullptr);
  // Blocked until this handler returns; then the process dies as it would without it.
  raise(signal);
}

// Only where nobody has set anything.
void Handle(int signal, void (*handler)(int)) {
  struct sigaction old{};
  if (sigaction(signal, nullptr, &old) != 0 || (old.sa_flags & SA_SIGINFO) != 0 ||
      old.sa_handler != SIG_DFL) {
    return;
  }
  struct sigaction mine{};
  mine.sa_handler = handler;
  mine.sa_flags = SA_RESTART | SA_ONSTACK;
  sigfillset(&mine.sa_mask);
  sigaction(signal, &mine, nullptr);
}

// An error that no thread caught. There may be no memory for a message.
[[noreturn]] void EndByUncaughtError() {
  try {
    if (const auto error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    RemoveLeftovers();
    Say(kNoMemory);
    _exit(static_cast<int>(Exit::kMachine));
  } catch (const std::system_error& error) {
    RemoveLeftovers();
    Say("error[E0302]: the machine refuses a thread or another resource: ");
    Say(error.what());
    Say("\nhelp: close other programs, or raise the limits: ulimit -a\n");
    _exit(static_cast<int>(Exit::kMachine));
  } catch (const std::exception& error) {
    Say("error[E0401]: uncaught error on a thread: ");
    Say(error.what());
    Say("\n");
  } catch (...) {
    Say("error[E0401]: uncaught error on a thread\n");
  }
  std::abort();  // RemoveLeftovers follows in Crash
}

}  // namespace

void HandleSignals() {
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGPIPE}) Handle(signal, EndBySignal);
  // For a stack overflow of the main thread.
  static std::array<char, 32768> stack;
  const stack_t alternate{.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
  sigaltstack(&alternate, nullptr);
  for (const int signal :
       {SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGXCPU}) {
    Handle(signal, Crash);
  }
  Handle(SIGXFSZ, SIG_IGN);
  std::set_terminate(EndByUncaughtError);
}

void EndWithParent() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

void NotifyFirstSignal(int fd) { first_signal_fd = fd; }

Exit ExitOfSignal(int signal) {
  switch (signal) {
    case SIGHUP:
      return Exit::kHungUp;
    case SIGPIPE:
      return Exit::kBrokenPipe;
    default:
      return Exit::kInterrupted;
  }
}

void OpenStandardDescriptors() {
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    // The wrong direction: reading standard input or writing output stays an error. The
    // lowest free number is this one.
    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace arrowalloy
