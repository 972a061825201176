// SPDX-License-Identifier: MIT
#include "port/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

namespace alloy::core {
namespace {

constexpr int kMinute = 60'000;  // in milliseconds

ProgramStart Shell(const std::string& script) {
  return {.program = "/bin/sh",
          .arguments = {"a name", "-c", script},
          .environment = {},
          .hand_over = {}};
}

Child Begin(const ProgramStart& start) {
  auto child = Child::Start(start);
  EXPECT_TRUE(child.ok()) << child.status().fault().text;
  return child.ok() ? *std::move(child) : Child();
}

bool IsReadable(const Fd& fd) {
  struct pollfd watched{.fd = fd.get(), .events = POLLIN, .revents = 0};
  return ::poll(&watched, 1, kMinute) == 1;
}

ChildEnd EndOf(Child& child) {
  EXPECT_TRUE(IsReadable(child.handle()));
  const auto end = child.TryReap();
  EXPECT_TRUE(end.has_value());
  return end.value_or(ChildEnd());
}

// Until every process that has the pipe open has ended.
std::string AllOutput(const Fd& output) {
  std::string text;
  std::array<char, 256> chunk;
  while (IsReadable(output)) {
    const ssize_t n = ::read(output.get(), chunk.data(), chunk.size());
    if (n <= 0) break;
    text.append(chunk.data(), static_cast<size_t>(n));
  }
  return text;
}

int OpenDescriptors() {
  int open = 0;
  for (int fd = 0; fd < 256; ++fd) open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return open;
}

// Sets what this process does about SIGCHLD, for a while.
class OnChildSignal {
 public:
  explicit OnChildSignal(void (*handler)(int)) {
    struct sigaction action{};
    action.sa_handler = handler;
    EXPECT_EQ(::sigaction(SIGCHLD, &action, &before_), 0);
  }
  ~OnChildSignal() { ::sigaction(SIGCHLD, &before_, nullptr); }
  OnChildSignal(const OnChildSignal&) = delete;
  OnChildSignal& operator=(const OnChildSignal&) = delete;

 private:
  struct sigaction before_;
};

TEST(ChildTest, TellsHowItEnded) {
  Child exits = Begin(Shell("exit 3"));
  EXPECT_EQ(EndOf(exits).exit_code, 3);
  EXPECT_EQ(EndOf(exits).signal, 0);
  EXPECT_FALSE(exits.Kill(SIGKILL));
  Child dies = Begin(Shell("kill -SEGV $$"));
  EXPECT_EQ(EndOf(dies).signal, SIGSEGV);
  EXPECT_EQ(EndOf(dies).exit_code, -1);
}

TEST(ChildTest, RunsUntilItIsKilled) {
  Child child = Begin(Shell("echo begun; kill -STOP $$; sleep 1000"));
  EXPECT_TRUE(IsReadable(child.output()));
  EXPECT_EQ(child.TryReap(), std::nullopt);
  EXPECT_TRUE(child.Kill(SIGKILL));
  EXPECT_EQ(EndOf(child).signal, SIGKILL);
  EXPECT_EQ(AllOutput(child.output()), "begun\n");
}

TEST(ChildTest, ItsOutputDoesNotBlockTheReader) {
  Child child = Begin(Shell("exec sleep 1000"));
  char byte = 0;
  EXPECT_EQ(::read(child.output().get(), &byte, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST(ChildTest, ItsInputIsEmpty) {
  Child child = Begin(Shell("cat; echo end"));
  EXPECT_EQ(AllOutput(child.output()), "end\n");
}

TEST(ChildTest, GetsItsNameItsEnvironmentAndNothingOfTheHost) {
  ASSERT_EQ(::setenv("ALLOY_TEST_OF_HOST", "1", 1), 0);
  ProgramStart start = Shell(
      "echo $0; pwd; echo ${ONE-none} ${ALLOY_TEST_OF_HOST-none}; i=0; while [ $i -lt "
      "100 ];"
      "do [ ! -e /proc/$$/fd/$i ] || echo $i; i=$((i+1)); done; echo last >&2");
  // The shell's own argument after the script is $0.
  start.arguments.emplace_back("zero");
  start.environment = {"ONE=1"};
  Fd first, second;
  ASSERT_EQ(CreateSealable("first", 1, &first), 0);
  ASSERT_EQ(CreateSealable("second", 1, &second), 0);
  start.hand_over = {&first, &second};
  const Fd open(::dup(first.get()));  // not closed on exec
  Child child = Begin(start);
  EXPECT_EQ(AllOutput(child.output()), "zero\n/\n1 none\n0\n1\n2\n3\n4\nlast\n");
  EXPECT_EQ(EndOf(child).exit_code, 0);
}

TEST(ChildTest, RunsAnOpenFileWhichItDoesNotKeepOpen) {
  Fd image, passed;
  ASSERT_EQ(OpenForReading("/bin/sh", &image), 0);
  ASSERT_EQ(CreateSealable("passed", 1, &passed), 0);
  ProgramStart start = Shell(
      "i=0; while [ $i -lt 100 ]; do [ ! -e /proc/$$/fd/$i ] || echo $i; i=$((i+1)); "
      "done");
  start.program.clear();
  start.image = &image;
  start.hand_over = {&passed};
  Child child = Begin(start);
  EXPECT_EQ(AllOutput(child.output()), "0\n1\n2\n3\n");
  EXPECT_EQ(EndOf(child).exit_code, 0);
}

TEST(ChildTest, SaysWhatCannotBeStarted) {
  const int before = OpenDescriptors();
  const Status missing = Child::Start({.program = "/no/such/program",
                                       .arguments = {},
                                       .environment = {},
                                       .hand_over = {}})
                             .status();
  EXPECT_EQ(missing.code(), ALLOY_UNSUPPORTED);
  EXPECT_EQ(missing.fault().text,
            "cannot start /no/such/program: No such file or directory");
  Fd text;
  ASSERT_EQ(OpenForReading("/etc/passwd", &text), 0);
  ProgramStart start = Shell("exit 0");
  start.image = &text;
  EXPECT_EQ(Child::Start(start).status().code(), ALLOY_UNSUPPORTED);
  text.Close();
  EXPECT_EQ(OpenDescriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
}

TEST(ChildTest, ItsOwnerLeavesNoProcessAndNoDescriptor) {
  const int before = OpenDescriptors();
  for (int i = 0; i < 20; ++i) {
    Child first = Begin(Shell("exec sleep 1000"));
    Child second = std::move(first);
    first = Begin(Shell("exit 0"));
    second = std::move(first);
    EXPECT_EQ(first.pid(), 0);  // NOLINT(bugprone-use-after-move)
    EXPECT_NE(second.pid(), 0);
  }
  EXPECT_EQ(OpenDescriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(ChildTest, WhatItStartedEndsWithIt) {
  Fd output;
  {
    Child child = Begin(Shell("sleep 1000 & echo begun; wait"));
    EXPECT_TRUE(IsReadable(child.output()));
    output = std::move(child.output());
  }
  // The end of the pipe comes only after the last process has ended.
  EXPECT_EQ(AllOutput(output), "begun\n");
}

TEST(ChildTest, EndsWhenSigchldIsIgnored) {
  const OnChildSignal ignored(SIG_IGN);
  for (int i = 0; i < 20; ++i) {
    Child child = Begin(Shell("echo begun; exec sleep 1000"));
    EXPECT_TRUE(IsReadable(child.output()));
    EXPECT_EQ(child.TryReap(), std::nullopt);
    EXPECT_TRUE(child.Kill(SIGKILL));
    const ChildEnd end = EndOf(child);
    // Known to kernels that keep it.
    if (end.is_known()) {
      EXPECT_EQ(end.signal, SIGKILL);
    }
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(ChildTest, AChildThatEndsAtOnceIsNeverTakenForAnother) {
  const OnChildSignal ignored(SIG_IGN);
  for (int i = 0; i < 200; ++i) {
    auto child = Child::Start({.program = "/bin/true",
                               .arguments = {"true"},
                               .environment = {},
                               .hand_over = {}});
    if (!child.ok()) {
      EXPECT_EQ(child.status().code(), ALLOY_UNSUPPORTED);
      continue;
    }
    const ChildEnd end = EndOf(*child);
    if (end.is_known()) {
      EXPECT_EQ(end.exit_code, 0);
    }
  }
}

TEST(ChildTest, EndsWhenTheHostReapsItFirst) {
  Child child = Begin(Shell("exec sleep 1000"));
  EXPECT_TRUE(child.Kill(SIGTERM));
  ASSERT_EQ(::waitpid(-1, nullptr, 0), child.pid());
  const ChildEnd end = EndOf(child);
  if (end.is_known()) {
    EXPECT_EQ(end.signal, SIGTERM);
  }
  EXPECT_FALSE(child.Kill(SIGKILL));
}

TEST(ChildTest, AForkedHostLeavesTheChildAlive) {
  Child child = Begin(Shell("exec sleep 1000"));
  const pid_t forked = ::fork();
  if (forked == 0) {
    const bool killed = child.Kill(SIGKILL);
    const bool reaped = child.TryReap().has_value();
    {
      const Child taken = std::move(child);
    }
    ::_exit(killed || reaped ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(forked, &status, 0), forked);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(child.TryReap(), std::nullopt);
  EXPECT_TRUE(child.Kill(0));
}

}  // namespace
}  // namespace alloy::core
