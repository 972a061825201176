// SPDX-License-Identifier: MIT
#include "port/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "port/clock.h"

namespace alloy::core {
namespace {

constexpr int kFirstHandedOver = 3;
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

// How the child starts. Every step may run out of memory; the first error is kept.
class Plan {
 public:
  Plan() {
    Keep(::posix_spawn_file_actions_init(&actions_));
    Keep(::posix_spawnattr_init(&attributes_));
  }
  ~Plan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // `output` and `handed_over` lie above every number that is given to the child.
  int Make(const Fd& output, const std::vector<Fd>& handed_over) {
    int next = kFirstHandedOver;
    Keep(::posix_spawn_file_actions_addchdir_np(&actions_, "/"));
    Keep(::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0));
    Keep(::posix_spawn_file_actions_adddup2(&actions_, output.get(), 1));
    Keep(::posix_spawn_file_actions_adddup2(&actions_, output.get(), 2));
    for (const Fd& fd : handed_over) {
      Keep(::posix_spawn_file_actions_adddup2(&actions_, fd.get(), next++));
    }
    Keep(::posix_spawn_file_actions_addclosefrom_np(&actions_, next));
    // The child gets default signal handling, whatever the host ignores or blocks. It
    // gets its own group, so that everything it starts can be killed with it.
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    Keep(::posix_spawnattr_setsigmask(&attributes_, &none));
    Keep(::posix_spawnattr_setsigdefault(&attributes_, &all));
    Keep(::posix_spawnattr_setpgroup(&attributes_, 0));
    Keep(::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK |
                                                      POSIX_SPAWN_SETSIGDEF |
                                                      POSIX_SPAWN_SETPGROUP));
    return error_;
  }

  int Start(const ProgramRun& run, pid_t* pid) {
    std::vector<std::string> words = CommandOf(run);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    char* const environment[] = {nullptr};
    return ::posix_spawn(pid, arguments[0], &actions_, &attributes_, arguments.data(),
                         environment);
  }

 private:
  void Keep(int error) {
    if (error_ == 0) error_ = error;
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  int error_ = 0;
};

int DuplicateAbove(const Fd& fd, int least, Fd* out) {
  const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, least);
  if (copy < 0) return errno;
  *out = Fd(copy);
  return 0;
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
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno;
  Fd reading(ends[0]), writing(ends[1]);
  // The child's end blocks, as programs expect.
  if (::fcntl(writing.get(), F_SETFL, 0) != 0) return errno;

  // Above every number that the child gets, so that no copy overwrites what comes next.
  const int least = kFirstHandedOver + static_cast<int>(run.hand_over.size());
  Fd output;
  std::vector<Fd> handed_over(run.hand_over.size());
  if (const int error = DuplicateAbove(writing, least, &output); error != 0) return error;
  for (size_t i = 0; i < handed_over.size(); ++i) {
    const int error = DuplicateAbove(*run.hand_over[i], least, &handed_over[i]);
    if (error != 0) return error;
  }
  // Nothing may throw between the start of the child and its end.
  out->output.reserve(run.most_output);
  pid_t pid = 0;
  {
    Plan plan;
    if (const int error = plan.Make(output, handed_over); error != 0) return error;
    if (const int error = plan.Start(run, &pid); error != 0) return error;
  }
  writing.Close();
  output.Close();
  handed_over.clear();

  const Fd child(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int no_watch = child ? 0 : errno;
  out->timed_out = no_watch == 0 && !Watch(child, std::move(reading), run, out);
  const int error = EndAndReap(pid, out);
  // ESRCH: the child has ended and was reaped by somebody else.
  return no_watch != 0 && no_watch != ESRCH ? no_watch : error;
}

bool IsExecutable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

}  // namespace alloy::core
