// SPDX-License-Identifier: MIT
//
// Children of fork: every object of the parent works there, or ends cleanly, whatever the
// other threads of the parent did at the fork.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/faults/tree.h"
#include "tests/support/support.h"

namespace {

using faults::Tree;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

constexpr int kHangs = -1;

// A child that hangs is ended by its alarm.
int Wait(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? kHangs
                                                            : 1000 + WTERMSIG(status);
}

// The exit code of a child that runs `body` and then ends at once.
int InChild(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(120);
    const int code = body();
    std::fflush(nullptr);
    ::_exit(code);
  }
  return Wait(child);
}

// A number for each thing that failed, so that a test can name it.
int Check(bool ok, int what) { return ok ? 0 : what; }

alloy::CallLimits Limit(std::chrono::nanoseconds timeout) { return {.timeout = timeout}; }

// A host, a bridge and a call as a program in C has them.
struct CObjects {
  explicit CObjects(const char* library, const char* function,
                    std::vector<const char*> options = {}) {
    alloy_host_options host_options{};
    host_options.struct_size = sizeof(host_options);
    host_options.flags = ALLOY_ALLOW_UNSIGNED;
    host_options.log_mode = 2;
    alloy_error error{};
    EXPECT_EQ(alloy_host_new(&host_options, &host, &error), ALLOY_OK) << error.text;
    EXPECT_EQ(alloy_bridge_new(host, nullptr, &bridge, &error), ALLOY_OK) << error.text;
    if (library != nullptr) {
      EXPECT_EQ(alloy_bridge_load(bridge, support::BackendPath(library).c_str(), nullptr,
                                  &error),
                ALLOY_OK)
          << error.text;
    }
    options.push_back(nullptr);
    EXPECT_EQ(alloy_call_bind(bridge, function, &tree.schema(Tree::kRoot), 1,
                              options.data(), &call, &error),
              ALLOY_OK)
        << error.text;
  }
  ~CObjects() { Free(); }
  CObjects(const CObjects&) = delete;
  CObjects& operator=(const CObjects&) = delete;

  alloy_code Run(int64_t timeout_ns, uint64_t ticket = 0) {
    Tree* batch = new Tree;  // NOLINT: freed only if every struct came back
    ArrowArray input;
    ArrowArray output;
    batch->MoveArray(&input);
    const alloy_code code =
        alloy_call_run(call, &input, &output, timeout_ns, ticket, nullptr);
    if (output.release != nullptr) output.release(&output);
    if (input.release != nullptr) input.release(&input);
    if (batch->releases() == 1) delete batch;  // NOLINT
    return code;
  }

  void Free() {
    alloy_call_free(std::exchange(call, nullptr));
    alloy_bridge_free(std::exchange(bridge, nullptr));
    alloy_host_free(std::exchange(host, nullptr));
  }

  Tree tree;
  alloy_host* host = nullptr;
  alloy_bridge* bridge = nullptr;
  alloy_call* call = nullptr;
};

constexpr int64_t kSecond = 1'000'000'000;

TEST(ForkTest, AfterACallWithADeadlineTheChildFreesEverything) {
  CObjects objects(nullptr, "echo");
  ASSERT_EQ(objects.Run(kSecond), ALLOY_OK);
  for (int i = 0; i < 20; ++i) {
    // Sometimes the timer's thread waits already, sometimes it does not.
    std::this_thread::sleep_for(i % 2 == 0 ? 5ms : 0ms);
    EXPECT_EQ(InChild([&] {
                objects.Free();
                return 0;
              }),
              0);
  }
  EXPECT_EQ(objects.Run(kSecond), ALLOY_OK) << "the parent's objects are unchanged";
}

TEST(ForkTest, ADeadlineIsKeptInTheChildAndInItsChild) {
  CObjects objects("tests/unruly", "slow");
  EXPECT_EQ(objects.Run(kSecond / 100), ALLOY_TIMEOUT);
  EXPECT_EQ(InChild([&] {
              if (objects.Run(kSecond / 100) != ALLOY_TIMEOUT) return 1;
              const int code = InChild([&] {
                const int late = Check(objects.Run(kSecond / 100) == ALLOY_TIMEOUT, 2);
                objects.Free();
                return late;
              });
              objects.Free();
              return code;
            }),
            0);
  EXPECT_EQ(objects.Run(kSecond / 100), ALLOY_TIMEOUT);
}

// The child has the call of the parent in the middle of a run, on a thread it does not
// have.
TEST(ForkTest, ACallThatAnotherThreadRunsIsBusyInTheChildAndFreedThere) {
  CObjects objects("tests/unruly", "slow_but_sure");
  std::thread runner([&] { EXPECT_EQ(objects.Run(0, 1), ALLOY_OK); });
  int64_t done = 0;
  int64_t total = 0;
  while (done == 0) alloy_call_progress(objects.call, &done, &total);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(InChild([&] {
                const int busy = Check(objects.Run(kSecond) == ALLOY_BUSY, 1);
                objects.Free();
                return busy;
              }),
              0);
  }
  alloy_call_cancel(objects.call, 1);
  runner.join();
}

// Another user than root, who has no threads left. In a child, which can be limited.
TEST(ForkTest, ADeadlineThatNoThreadCanWatchIsExhausted) {
  CObjects objects("tests/unruly", "slow_but_sure");
  alloy::Bridge bridge = support::Load("tests/flows");
  EXPECT_EQ(
      InChild([&] {
        if (::getuid() == 0 && ::setuid(65534) != 0) return 1;
        const rlimit none{.rlim_cur = 0, .rlim_max = 0};
        if (::setrlimit(RLIMIT_NPROC, &none) != 0) return 2;
        if (objects.Run(kSecond) != ALLOY_EXHAUSTED) return 3;
        std::vector<alloy::Batch> batches;
        batches.push_back(support::SmallBatch());
        auto stream =
            bridge.Stream("relay", alloy::Stream::Of(std::move(batches)), {}, Limit(1s));
        if (stream.ok() || stream.status().code() != ALLOY_EXHAUSTED) return 4;
        if (stream.status().text().find("without a timeout") == std::string_view::npos) {
          return 5;
        }
        return 0;
      }),
      0);
}

// A fork inside the backend: the child comes back from the run of its parent.
TEST(ForkTest, TheThreadThatForksInsideACallComesBackInBoth) {
  // The log callback is foreign code that runs inside a call.
  pid_t child = -1;
  bool forked = false;
  alloy::HostOptions options{.allow_unsigned = true, .log_mode = alloy::LogMode::kAlways};
  options.log = [&](int32_t, std::string_view, std::string_view) {
    if (std::exchange(forked, true)) return;
    std::fflush(nullptr);
    child = ::fork();
    if (child == 0) ::alarm(120);
  };
  {
    alloy::Bridge forking{alloy::Host(std::move(options))};
    const auto result = forking.Call("echo", support::SmallBatch(), {}, Limit(10s));
    const auto again = forking.Call("echo", support::SmallBatch(), {}, Limit(10s));
    if (child == 0) ::_exit(result.ok() && again.ok() ? 0 : 1);
    EXPECT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(again.ok()) << again.status();
  }
  EXPECT_EQ(Wait(child), 0);
}

TEST(ForkTest, AStaticBridgeLetsTheChildExit) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(InChild([i] {
                static alloy::Bridge bridge = support::Load("");
                const auto first =
                    bridge.Call("echo", support::SmallBatch(), {}, Limit(1s));
                if (!first.ok()) return 1;
                std::this_thread::sleep_for(i % 2 == 0 ? 5ms : 0ms);
                std::fflush(nullptr);
                const pid_t child = ::fork();
                if (child == 0) {
                  ::alarm(120);
                  std::exit(0);  // destroys the bridge
                }
                return Wait(child) == 0 ? 0 : 2;
              }),
              0);
  }
}

alloy::Stream SmallStream(int n) {
  std::vector<alloy::Batch> batches;
  for (int i = 0; i < n; ++i) batches.push_back(support::SmallBatch());
  return alloy::Stream::Of(std::move(batches));
}

// AddressSanitizer's allocator has locks that a fork leaves locked.
#ifndef __SANITIZE_ADDRESS__
void LogLine(const alloy::Bridge& bridge, const char* text) {
  alloy_host_log(bridge.host().get(), ALLOY_LOG_INFO, text, -1);
}

// What threads of the parent do while it forks.
class Noise {
 public:
  explicit Noise(alloy::Bridge& bridge) : bridge_(bridge) {
    Repeat([this] {
      (void)bridge_.Call("identity", support::SmallBatch(), {}, Limit(10s));
    });
    Repeat([this] {
      (void)bridge_.Call("identity", support::SmallBatch(), {}, Limit(1us));
    });
    // Another schema each time: nothing is found in a cache.
    Repeat([this, i = 0]() mutable {
      const std::string name = "x" + std::to_string(++i);
      const auto batch = alloy::MakeBatch({{name, alloy::MakeArray<int64_t>({1})}});
      (void)bridge_.Call("identity", *batch, {}, Limit(10s));
    });
    Repeat([this] { (void)bridge_.SetImplLib(support::BackendPath("tests/identity")); });
    Repeat([this] { (void)bridge_.SetImplLib("/there/is/no/such.so"); }, 7ms);
    Repeat([this] { LogLine(bridge_, "a line of a thread of the parent"); });
  }
  ~Noise() {
    done_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Noise(const Noise&) = delete;
  Noise& operator=(const Noise&) = delete;

 private:
  template <typename Body>
  void Repeat(Body body, std::chrono::milliseconds pause = 0ms) {
    threads_.emplace_back([this, body = std::move(body), pause]() mutable {
      while (!done_) {
        body();
        std::this_thread::sleep_for(pause);
      }
    });
  }

  alloy::Bridge& bridge_;
  std::atomic<bool> done_ = false;
  std::vector<std::thread> threads_;
};

// Everything a child may try. Returns the number of what failed; 0: nothing.
int UseEverything(alloy::Bridge& bridge, alloy::Stream& stream) {
  if (!bridge.SetImplLib(support::BackendPath("tests/identity")).ok()) return 1;
  for (int i = 0; i < 3; ++i) {
    if (!bridge.Call("identity", support::SmallBatch(), {}, Limit(20s)).ok()) return 2;
  }
  const std::string name = "child";
  const auto batch = alloy::MakeBatch({{name, alloy::MakeArray<int64_t>({1})}});
  if (!bridge.Call("identity", *batch, {}, Limit(20s)).ok()) return 3;
  LogLine(bridge, "a line of the child");
  const auto next = stream.Next();
  if (!next.ok()) return 4;
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      const auto result = bridge.Call("identity", *batch, {}, Limit(20s));
      failed += result.ok() ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failed == 0 ? 0 : 5;
}

class BusyForkTest : public testing::TestWithParam<bool> {};

// Both ways of logging have a lock: a callback, and a descriptor.
TEST_P(BusyForkTest, ChildrenOfABusyProcessUseEverything) {
  std::atomic<int> lines = 0;
  alloy::HostOptions options{.allow_unsigned = true, .log_mode = alloy::LogMode::kAlways};
  FILE* nowhere = std::fopen("/dev/null", "w");
  if (GetParam()) {
    options.log = [&](int32_t, std::string_view, std::string_view) { ++lines; };
  } else {
    options.log_fd = fileno(nowhere);
  }
  constexpr int kRounds = 40;
  {
    auto bridge = std::make_optional<alloy::Bridge>(
        support::Load("tests/identity", alloy::Host(std::move(options))));
    // One stream for each child; the parent's threads use other calls of the bridge.
    auto opened = bridge->Stream("identity", SmallStream(3), {}, Limit(20s));
    ASSERT_TRUE(opened.ok()) << opened.status();
    std::optional<alloy::Stream> stream = std::move(*opened);
    ASSERT_TRUE(stream->Next().ok());
    const Noise noise(*bridge);
    for (int round = 0; round < kRounds; ++round) {
      const int code = InChild([&] {
        const int failed = UseEverything(*bridge, *stream);
        stream.reset();
        bridge.reset();
        return failed;
      });
      ASSERT_EQ(code, 0) << "round " << round;
    }
  }
  std::fclose(nowhere);
  EXPECT_EQ(lines > 0, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Logs, BusyForkTest, testing::Bool(), [](const auto& parameter) {
  return parameter.param ? "ToACallback" : "ToADescriptor";
});

#endif  // __SANITIZE_ADDRESS__

// A stream whose backend pulls on threads of its own, with a deadline for each batch.
TEST(ForkTest, AStreamOpenedInTheParentGoesOnInTheChild) {
  alloy::Bridge bridge = support::Load("tests/flows");
  for (const char* function : {"relay", "threads"}) {
    SCOPED_TRACE(function);
    auto opened = bridge.Stream(function, SmallStream(4), {}, Limit(10s));
    ASSERT_TRUE(opened.ok()) << opened.status();
    std::optional<alloy::Stream> stream = std::move(*opened);
    ASSERT_TRUE(stream->Next().ok());
    const auto rest = [&] {
      int n = 0;
      for (;; ++n) {
        const auto batch = stream->Next();
        if (!batch.ok()) return 100;
        if (!batch->has_value()) break;
      }
      stream.reset();
      return n;
    };
    EXPECT_EQ(InChild(rest), 3);
    EXPECT_EQ(rest(), 3);
  }
}

}  // namespace
