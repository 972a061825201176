// SPDX-License-Identifier: MIT
#include "bench/isolated/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "bench/isolated/measure.h"

namespace alloy::bench {
namespace {

// The most that a user may ask for by default.
constexpr int kPipeBytes = 1 << 20;

std::array<int, 2> MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) Die("no pipe");
  ::fcntl(ends[0], F_SETPIPE_SZ, kPipeBytes);
  return ends;
}

}  // namespace

void BenchChild::Start(const std::vector<std::string>& arguments,
                       const std::string& program) {
  const std::array<int, 2> to = MakePipe(), from = MakePipe();
  const std::string path = program.empty() ? "/proc/self/exe" : program;
  std::vector<char*> words{const_cast<char*>(path.c_str())};
  for (const std::string& one : arguments)
    words.push_back(const_cast<char*>(one.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
  const int error =
      ::posix_spawn(&pid_, path.c_str(), &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(to[0]);
  ::close(from[1]);
  if (error != 0) Die("cannot start " + path);
  out_ = to[1];
  in_ = from[0];
}

BenchChild::~BenchChild() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGTERM);
  ::close(out_);
  ::close(in_);
  ::waitpid(pid_, nullptr, 0);
}

std::string BenchChild::ReadLine() const {
  std::string line;
  for (char c = 0; ::read(in_, &c, 1) == 1 && c != '\n';) line += c;
  if (line.empty()) Die("a peer has ended");
  return line;
}

void BenchChild::WriteLine(const std::string& line) const {
  const std::string text = line + "\n";
  if (::write(out_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    Die("a peer does not listen");
  }
}

}  // namespace alloy::bench
