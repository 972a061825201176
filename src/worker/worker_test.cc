// SPDX-License-Identifier: MIT
//
// The worker program, before it has loaded anything.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>
#include <string>

#include "port/child.h"
#include "port/descriptors.h"
#include "port/shared_memory.h"
#include "wire/protocol.h"

namespace alloy::core {
namespace {

// A host that starts a worker and asks nothing of it.
struct QuietHost {
  SharedMemory control;
  Fd near, far, library;
  Child worker;

  bool Start() { return Make() && StartWorker(); }
  ControlBlock& block() { return *reinterpret_cast<ControlBlock*>(control.data()); }

  bool Make() {
    auto made = SharedMemory::MakeShared(sizeof(ControlBlock));
    if (!made.ok() || MakeSocketPair(&near, &far) != 0) return false;
    control = *std::move(made);
    ::new (static_cast<void*>(control.data())) ControlBlock;
    return CreateSealable("library", 1, &library) == 0;
  }
  bool StartWorker() {
    auto started = Child::Start({.program = ALLOY_TEST_WORKER,
                                 .arguments = {"alloy-worker", kWorkerArgument},
                                 .environment = {},
                                 .hand_over = {&control.fd(), &far, &library}});
    if (!started.ok()) return false;
    worker = *std::move(started);
    return true;
  }
};

bool EndsWithinAMinute(const Fd& handle) {
  struct pollfd watched{.fd = handle.get(), .events = POLLIN, .revents = 0};
  return ::poll(&watched, 1, 60'000) == 1;
}

TEST(WorkerTest, AHostThatEndsAtAnyMomentLeavesNoWorker) {
  // The host is killed later and later, from before the worker program runs on.
  for (int micros = 0; micros < 20'000; micros += 1'000) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    Fd reading(ends[0]), writing(ends[1]);
    const pid_t host_process = ::fork();
    if (host_process == 0) {
      QuietHost host;
      const int number = host.Start() ? host.worker.pid() : 0;
      WriteLine(writing.get(), std::to_string(number));
      for (;;) ::pause();
    }
    char text[16] = {};
    ASSERT_GT(::read(reading.get(), text, sizeof(text) - 1), 0);
    const int number = std::stoi(text);
    ASSERT_GT(number, 0);
    const Fd worker(static_cast<int>(::syscall(SYS_pidfd_open, number, 0)));
    ASSERT_TRUE(worker);
    ::usleep(static_cast<useconds_t>(micros));
    ::kill(host_process, SIGKILL);
    ASSERT_EQ(::waitpid(host_process, nullptr, 0), host_process);
    EXPECT_TRUE(EndsWithinAMinute(worker)) << micros;
  }
}

TEST(WorkerTest, WaitsForItsHost) {
  QuietHost host;
  ASSERT_TRUE(host.Start());
  struct pollfd watched{.fd = host.worker.handle().get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&watched, 1, 50), 0);
  EXPECT_EQ(host.worker.TryReap(), std::nullopt);
}

// Of another version than its host, it says so and ends. It reads nothing else of the memory
// that they share.
TEST(WorkerTest, AHostThatSpeaksAnotherProtocolIsRefused) {
  for (const uint64_t other : {kProtocol + 1, kProtocol - 1, uint64_t{0}}) {
    QuietHost host;
    ASSERT_TRUE(host.Make());
    host.block().protocol.store(other);
    host.block().to_worker.Post(1U << 31);
    ASSERT_TRUE(host.StartWorker());
    EXPECT_TRUE(EndsWithinAMinute(host.worker.handle()));
    EXPECT_EQ(host.worker.TryReap().value_or(ChildEnd()).exit_code, 3);
    char words[256] = {};
    EXPECT_GT(::read(host.worker.output().get(), words, sizeof(words) - 1), 0);
    EXPECT_STREQ(words,
                 "alloy-worker: the host is of another version; install the worker that "
                 "belongs to its engine\n");
  }
}

TEST(WorkerTest, APersonGetsAnExplanation) {
  Child child = *Child::Start({.program = ALLOY_TEST_WORKER,
                               .arguments = {"alloy-worker"},
                               .environment = {},
                               .hand_over = {}});
  EXPECT_TRUE(EndsWithinAMinute(child.handle()));
  EXPECT_EQ(child.TryReap().value_or(ChildEnd()).exit_code, 2);
}

}  // namespace
}  // namespace alloy::core
