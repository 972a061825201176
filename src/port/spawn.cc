// SPDX-License-Identifier: MIT
#include "port/spawn.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "port/clock.h"
#include "port/program_start.h"

namespace alloy::core {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;

// posix_spawn sets no limits, and limits that are set from outside come too late for what
// the program starts first. So a shell sets them, and becomes the program. Where the
// process has lower limits already, those stay.
std::vector<std::string> CommandOf(const ProgramRun& run) {
  std::vector<std::string> words;
  if (run.most_memory != 0 || run.most_file != 0) {
    const auto limit = [](uint64_t bytes, uint64_t unit) {
      return bytes == 0 ? std::string("unlimited") : std::to_string(bytes / unit);
    };
    constexpr const char* kScript =
        "{ ulimit -c 0; ulimit -d \"$1\"; ulimit -f \"$2\"; } 2>/dev/null; shift 2; "
        "exec \"$@\"";
    words = {"/bin/sh",
             "-c",
             kScript,
             "sh",
             limit(run.most_memory, 1024),
             limit(run.most_file, 512)};
  }
  words.push_back(run.program);
  words.insert(words.end(), run.arguments.begin(), run.arguments.end());
  return words;
}

// Read what is there; false at the end.
bool Drain(const Fd& pipe, size_t most, std::string* output) {
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t n = ::read(pipe.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    output->append(chunk.data(), std::min(static_cast<size_t>(n), most - output->size()));
  }
}

// Gather the output until the child ends or its time is up; true: it ended.
bool Watch(const Fd& child, Fd pipe, const ProgramRun& run, ProgramEnd* out) {
  const int64_t end = MonotonicNanos() + run.limit_ns;
  for (;;) {
    const int64_t left = end - MonotonicNanos();
    if (left <= 0) return false;
    // poll ignores a negative descriptor: the pipe, after it was closed.
    std::array<struct pollfd, 2> watched{
        {{.fd = child.get(), .events = POLLIN, .revents = 0},
         {.fd = pipe.get(), .events = POLLIN, .revents = 0}}};
    const int64_t millis = std::min<int64_t>(left / kNanosPerMilli + 1, 1'000'000);
    if (::poll(watched.data(), watched.size(), static_cast<int>(millis)) < 0) continue;
    if (watched[1].revents != 0 && !Drain(pipe, run.most_output, &out->output)) {
      pipe.Close();
    }
    if (watched[0].revents != 0) {
      if (pipe) Drain(pipe, run.most_output, &out->output);
      return true;
    }
  }
}

// Kill the whole group before waiting for the child. Its number stays in use until then,
// so no other group can be hit.
int EndAndReap(pid_t pid, ProgramEnd* out) {
  ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return errno;
  }
  if (WIFEXITED(status)) out->exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) out->signal = WTERMSIG(status);
  return 0;
}

}  // namespace

int RunProgram(const ProgramRun& run, ProgramEnd* out) {
  const ProgramStart start{.program = CommandOf(run).front(),
                           .arguments = CommandOf(run),
                           .environment = {},
                           .hand_over = run.hand_over};
  // Nothing may throw between the start of the child and its end.
  out->output.reserve(run.most_output);
  int pid = 0;
  Fd reading;
  if (const int error = StartProgram(start, &pid, &reading); error != 0) return error;

  const Fd child(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int no_watch = child ? 0 : errno;
  out->timed_out = no_watch == 0 && !Watch(child, std::move(reading), run, out);
  const int error = EndAndReap(pid, out);
  // ESRCH: the child has ended and was reaped by somebody else.
  return no_watch != 0 && no_watch != ESRCH ? no_watch : error;
}

bool IsExecutable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

}  // namespace alloy::core
