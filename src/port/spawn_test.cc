// SPDX-License-Identifier: MIT
#include "port/spawn.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>

namespace alloy::core {
namespace {

constexpr int64_t kMinute = int64_t{60} * 1'000'000'000;

ProgramEnd Shell(const std::string& script, std::vector<const Fd*> hand_over = {},
                 size_t most_output = 4096) {
  ProgramEnd end;
  const ProgramRun run{.program = "/bin/sh",
                       .arguments = {"-c", script},
                       .hand_over = std::move(hand_over),
                       .limit_ns = kMinute,
                       .most_output = most_output};
  EXPECT_EQ(RunProgram(run, &end), 0);
  EXPECT_FALSE(end.timed_out);
  return end;
}

TEST(SpawnTest, TellsOutputAndExitCode) {
  const ProgramEnd end = Shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.output, "out\nerr\n");
}

TEST(SpawnTest, TellsTheSignalThatEndedIt) {
  const ProgramEnd end = Shell("kill -9 $$");
  EXPECT_EQ(end.exit_code, -1);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST(SpawnTest, KeepsNoMoreOutputThanItMay) {
  const ProgramEnd end =
      Shell("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done", {}, 100);
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.output.size(), 100u);
}

TEST(SpawnTest, HandsOverWhatItIsGivenAndNothingElse) {
  Fd first, second;
  ASSERT_EQ(CreateSealable("first", 5, &first), 0);
  ASSERT_EQ(CreateSealable("second", 6, &second), 0);
  ASSERT_EQ(WriteFully(first, std::as_bytes(std::span("first", 5))), 0);
  ASSERT_EQ(WriteFully(second, std::as_bytes(std::span("second", 6))), 0);
  // Such as a host has that does not close its descriptors on exec.
  const int open = ::dup(first.get());
  ASSERT_EQ(::fcntl(open, F_SETFD, 0), 0);
  const ProgramEnd end = Shell(
      "cat /proc/self/fd/4 /proc/self/fd/3; i=0; while [ $i -lt 100 ]; do "
      "[ ! -e /proc/$$/fd/$i ] || echo $i; i=$((i+1)); done",
      {&first, &second});
  ::close(open);
  EXPECT_EQ(end.output, "secondfirst0\n1\n2\n3\n4\n");
}

TEST(SpawnTest, StartsWithoutWhatTheHostIgnoresOrBlocks) {
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(::sigaction(SIGTERM, &ignore, &before), 0);
  const ProgramEnd end = Shell("kill -TERM $$; exit 0");
  ASSERT_EQ(::sigaction(SIGTERM, &before, nullptr), 0);
  EXPECT_EQ(end.signal, SIGTERM);
}

TEST(SpawnTest, EndsWhatTakesTooLong) {
  ProgramEnd end;
  const ProgramRun run{.program = "/bin/sh",
                       .arguments = {"-c", "echo begun; sleep 1000; echo never"},
                       .hand_over = {},
                       .limit_ns = 200'000'000,
                       .most_output = 100};
  EXPECT_EQ(RunProgram(run, &end), 0);
  EXPECT_TRUE(end.timed_out);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST(SpawnTest, DoesNotWaitForAGrandchildThatKeepsTheOutputOpen) {
  const ProgramEnd end = Shell("sleep 1000 & echo done");
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.output, "done\n");
}

TEST(SpawnTest, SaysWhatCannotBeStarted) {
  ProgramEnd end;
  EXPECT_EQ(RunProgram({.program = "/no/such/program",
                        .arguments = {},
                        .hand_over = {},
                        .limit_ns = kMinute,
                        .most_output = 0},
                       &end),
            ENOENT);
  EXPECT_FALSE(IsExecutable("/no/such/program"));
  EXPECT_FALSE(IsExecutable("/etc/passwd"));
  EXPECT_TRUE(IsExecutable("/bin/sh"));
}

TEST(SpawnTest, SaysWhenItCannotSeeTheEnd) {
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(::sigaction(SIGCHLD, &ignore, &before), 0);
  ProgramEnd end;
  const int error = RunProgram({.program = "/bin/true",
                                .arguments = {},
                                .hand_over = {},
                                .limit_ns = kMinute,
                                .most_output = 0},
                               &end);
  ASSERT_EQ(::sigaction(SIGCHLD, &before, nullptr), 0);
  EXPECT_EQ(error, ECHILD);
}

}  // namespace
}  // namespace alloy::core
