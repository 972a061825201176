// SPDX-License-Identifier: MIT
#include "process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <string>
#include <system_error>
#include <vector>

#include "failure.h"
#include "leftovers.h"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace arrowalloy {
namespace {

constexpr size_t kMaxText = size_t{64} << 10U;
constexpr size_t kMaxResult = size_t{16} << 20U;
constexpr int kResult = 3;
using Clock = std::chrono::steady_clock;

Failure CannotStart(const std::string& program, int error) {
  return Failure(
      Exit::kMachine, kToolCode,
      fmt::format("cannot start {}: {}", program, std::generic_category().message(error)),
      program, "arrowalloy doctor");
}

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  explicit Pipe(const std::string& program) {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw CannotStart(program, errno);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    Close(0);
    Close(1);
  }
  void Close(size_t end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }
};

pid_t Spawn(const std::vector<std::string>& command, const Pipe& output,
            const Pipe& result, Leftover* group) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.ends[1], STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, result.ends[1], kResult);
  // A process group of its own: at the limit its children are killed with it. A Ctrl-C of
  // the terminal does not reach it; so it is killed when a signal ends this process. It
  // starts with the signals of a new process.
  sigset_t all, before, ignored_here;
  sigfillset(&all);
  sigemptyset(&ignored_here);
  sigaddset(&ignored_here, SIGXFSZ);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigdefault(&attributes, &ignored_here);
  // No signal between its start and its registration.
  pthread_sigmask(SIG_BLOCK, &all, &before);
  posix_spawnattr_setsigmask(&attributes, &before);
  pid_t child = -1;
  const int error =
      posix_spawnp(&child, words[0], &actions, &attributes, words.data(), environ);
  if (error == 0) *group = Leftover::Group(child);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw CannotStart(command[0], error);
  return child;
}

// Append what can be read now; false when the other end is closed. Bytes beyond `limit` are
// read and dropped, so that the child never blocks.
bool Drain(int fd, std::string* text, size_t limit) {
  std::array<char, 16384> part;
  const ssize_t count = read(fd, part.data(), part.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  const size_t room = limit - std::min(limit, text->size());
  text->append(part.data(), std::min(room, static_cast<size_t>(count)));
  return count > 0;
}

void Collect(Pipe* output, Pipe* result, Clock::time_point deadline, Ended* ended) {
  while (output->ends[0] >= 0 || result->ends[0] >= 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      ended->timed_out = true;
      return;
    }
    std::array<pollfd, 2> waited = {
        {{output->ends[0], POLLIN, 0}, {result->ends[0], POLLIN, 0}}};
    if (poll(waited.data(), waited.size(), static_cast<int>(left.count()) + 1) <= 0) {
      continue;
    }
    if (waited[0].revents != 0 && !Drain(output->ends[0], &ended->output, kMaxText)) {
      output->Close(0);
    }
    if (waited[1].revents != 0 && !Drain(result->ends[0], &ended->result, kMaxResult)) {
      result->Close(0);
    }
  }
}

}  // namespace

std::string Ended::HowText() const {
  if (timed_out) return fmt::format("took more than {} s", limit.count());
  if (signal == 0) return fmt::format("exited with code {}", code);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
  return fmt::format("died by signal {} ({})", signal, strsignal(signal));
}

Ended RunProcess(const std::vector<std::string>& command, std::chrono::seconds limit) {
  Pipe output(command[0]);
  Pipe result(command[0]);
  Ended ended;
  ended.limit = limit;
  Leftover group;
  const pid_t child = Spawn(command, output, result, &group);
  output.Close(1);
  result.Close(1);
  const auto deadline = Clock::now() + limit;
  Collect(&output, &result, deadline, &ended);
  // A child that closed its descriptors may still run; the limit applies to it too.
  int status = 0;
  // It is not reaped before its group is killed: until then no other process has its number.
  siginfo_t info{};
  const auto running = [&] {
    return waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) ==
               0 &&
           info.si_pid == 0;
  };
  bool runs = running();
  for (; runs && Clock::now() < deadline; runs = running()) poll(nullptr, 0, 2);
  if (runs) ended.timed_out = true;
  kill(-child, SIGKILL);  // children that it left running
  group.Forget();
  waitpid(child, &status, 0);
  if (ended.timed_out) return ended;
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  return ended;
}

}  // namespace arrowalloy
