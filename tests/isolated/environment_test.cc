// SPDX-License-Identifier: MIT
//
// An environment in which workers do not start, end unseen, or are used by many threads, and
// a host that forks.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/pool.hpp"
#include "tests/isolated/isolated.h"
#include "tests/isolated/pooled_input.h"
#include "tests/support/refuse_fallocate.h"

namespace {

using isolated::Bind;
using isolated::Contains;
using isolated::ExpectDoubled;
using isolated::Held;
using isolated::Input;
using isolated::Options;
using isolated::PidOf;

// The exit code of a child that runs `body`, and -1 if a signal ends it or it hangs. What
// fails inside is written to standard error.
int InChild(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(300);
    body();
    std::fflush(nullptr);
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

alloy::Bridge Load(alloy::WorkerLimits limits = {}) {
  return support::Load("tests/crash", support::TestHost(), Options(limits));
}

// ---- The program of the worker

struct FreeHost {
  void operator()(alloy_host* host) const { alloy_host_free(host); }
};
struct FreeBridge {
  void operator()(alloy_bridge* bridge) const { alloy_bridge_free(bridge); }
};

// The error of a load with this program.
alloy_error LoadWith(const char* program) {
  alloy_error error{};
  alloy_host_options host_options{};
  host_options.struct_size = sizeof(host_options);
  host_options.flags = ALLOY_ALLOW_UNSIGNED;
  host_options.log_mode = 2;
  host_options.worker = program;
  alloy_host* made = nullptr;
  if (alloy_host_new(&host_options, &made, &error) != ALLOY_OK) return error;
  const std::unique_ptr<alloy_host, FreeHost> host(made);
  alloy_bridge_options options{};
  options.struct_size = sizeof(options);
  options.isolated = 1;
  alloy_bridge* bridge = nullptr;
  if (alloy_bridge_new(host.get(), &options, &bridge, &error) != ALLOY_OK) return error;
  const std::unique_ptr<alloy_bridge, FreeBridge> owner(bridge);
  const std::string library = support::BackendPath("tests/crash");
  alloy_bridge_load(bridge, library.c_str(), nullptr, &error);
  return error;
}

TEST(IsolatedEnvironment, AWorkerProgramThatIsMissingIsNamed) {
  for (const char* program : {"/nowhere/alloy-worker", "/etc/passwd", "/etc"}) {
    const alloy_error error = LoadWith(program);
    EXPECT_EQ(error.code, ALLOY_REFUSED) << program << ": " << error.text;
    EXPECT_STREQ(alloy_reason_name(error.reason), alloy_reason_name(ALLOY_REASON_WORKER));
    EXPECT_NE(std::string(error.text).find(program), std::string::npos) << error.text;
  }
}

TEST(IsolatedEnvironment, AProgramThatIsNoWorkerIsAnError) {
  const Held before = Held::Now();
  for (const char* program : {"/bin/true", "/bin/cat"}) {
    const alloy_error error = LoadWith(program);
    EXPECT_TRUE(error.code == ALLOY_LOST || error.code == ALLOY_REFUSED)
        << program << ": " << error.text;
    EXPECT_NE(std::string(error.text).find(program), std::string::npos) << error.text;
  }
  isolated::ExpectSoonHeld(before, [] {});
}

// The process that runs the backend is the program that the host has named.
TEST(IsolatedEnvironment, AWorkerProgramThatTheHostNamesRuns) {
  namespace fs = std::filesystem;
  const fs::path named = fs::path(testing::TempDir()) / "alloy_named_worker";
  fs::copy_file(ALLOY_TEST_BUILD "/lib/alloy-worker", named,
                fs::copy_options::overwrite_existing);
  alloy::Bridge bridge(alloy::Host({.allow_unsigned = true, .worker = named.string()}),
                       Options());
  ASSERT_TRUE(bridge.SetImplLib(support::BackendPath("tests/crash")).ok());
  const auto result = bridge.Call("act", Input(WAY_WELL));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(fs::read_symlink("/proc/" + std::to_string(PidOf(*result)) + "/exe"), named);
  fs::remove(named);

  for (const std::string wrong : {"/nowhere/alloy-worker", "alloy-worker"}) {
    alloy::Bridge other(alloy::Host({.allow_unsigned = true, .worker = wrong}),
                        Options());
    const auto status = other.SetImplLib(support::BackendPath("tests/crash"));
    EXPECT_EQ(status.code(), wrong[0] == '/' ? ALLOY_REFUSED : ALLOY_INVALID) << status;
    EXPECT_TRUE(Contains(status, wrong)) << status;
  }
}

// ---- Descriptors

void SetDescriptors(rlim_t most) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = most;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

rlim_t FirstFree() {
  const int free = ::dup(0);
  ::close(free);
  return static_cast<rlim_t>(free);
}

TEST(IsolatedEnvironment, WithoutDescriptorsALoadIsAnErrorAndThenSucceeds) {
  EXPECT_EQ(0, InChild([] {
              const rlim_t free = FirstFree();
              int failed = 0;
              for (rlim_t more = 0; more < 24; ++more) {
                SetDescriptors(free + more);
                alloy::Bridge bridge(support::TestHost(), Options());
                const auto status =
                    bridge.SetImplLib(support::BackendPath("tests/crash"));
                if (!status.ok()) {
                  ++failed;
                  EXPECT_FALSE(status.text().empty());
                  EXPECT_NE(status.code(), ALLOY_INTERNAL) << more << ": " << status;
                } else {
                  const auto result = bridge.Call("act", Input(WAY_WELL));
                  EXPECT_TRUE(result.ok() || result.status().code() == ALLOY_EXHAUSTED)
                      << more << ": " << result.status();
                }
              }
              EXPECT_GT(failed, 3);
              SetDescriptors(256);
              alloy::Bridge bridge = Load();
              EXPECT_TRUE(bridge.Call("act", Input(WAY_WELL)).ok());
            }));
}

TEST(IsolatedEnvironment, WithoutDescriptorsANewWorkerIsAnErrorAndThenSucceeds) {
  EXPECT_EQ(0, InChild([] {
              alloy::Bridge bridge = Load();
              alloy::BoundCall call = Bind(bridge);
              const rlim_t free = FirstFree();
              int failed = 0;
              for (rlim_t more = 0; more < 24; ++more) {
                EXPECT_EQ(call.Run(Input(WAY_SEGV)).status().code(), ALLOY_LOST);
                SetDescriptors(free + more);
                const auto starved = call.Run(Input(WAY_WELL));
                EXPECT_TRUE(starved.ok() || starved.status().code() == ALLOY_EXHAUSTED ||
                            starved.status().code() == ALLOY_LOST)
                    << more << ": " << starved.status();
                failed += starved.ok() ? 0 : 1;
                SetDescriptors(256);
                const auto next = call.Run(Input(WAY_WELL));
                EXPECT_TRUE(next.ok()) << more << ": " << next.status();
              }
              EXPECT_GT(failed, 3);
            }));
}

// ---- Memory that is not there

bool MayRefuse() {
  return InChild([] { EXPECT_TRUE(support::RefuseFallocateAbove(0)); }) == 0;
}

// Without memory behind a segment, whoever touches it first dies. So it is asked for: the
// input and the messages by the host, the result by the worker, and by the host again.
TEST(IsolatedEnvironment,
     WithoutMemoryBehindSharedMemoryACallIsAnErrorAndTheNextSucceeds) {
  if (!MayRefuse()) GTEST_SKIP() << "seccomp is refused here";
  EXPECT_EQ(0, InChild([] {
              constexpr uint32_t kMost = 512 << 10;
              ASSERT_TRUE(support::RefuseFallocateAbove(kMost));
              alloy::Bridge bridge = Load();
              alloy::BoundCall call = Bind(bridge);
              const int64_t worker = PidOf(*call.Run(Input(WAY_WELL)));
              const auto input = call.Run(Input(WAY_WELL, 1'000'000)).status();
              EXPECT_EQ(input.code(), ALLOY_EXHAUSTED) << input;
              EXPECT_EQ(input.side(), ALLOY_SIDE_CALLER) << input;
              EXPECT_EQ(input.input(), 0) << input;
              EXPECT_TRUE(Contains(input, "an input needs 8000")) << input;
              EXPECT_TRUE(Contains(input, "the machine has no memory for them")) << input;
              // 50,000 rows cross, and their result has twice as many bytes.
              const auto more = call.Run(Input(WAY_WELL, 50'000));
              EXPECT_TRUE(more.ok()) << more.status();
              const auto next = call.Run(Input(WAY_WELL));
              EXPECT_TRUE(next.ok()) << next.status();
              if (next.ok()) {
                EXPECT_EQ(PidOf(*next), worker);
              }

              alloy::Bridge fragile =
                  support::Load("tests/fragile", support::TestHost(), Options());
              const auto rows = [&fragile](const char* n) {
                return fragile.Call("rows", Input(0), {{"rows", n}});
              };
              const auto result = rows("1000000").status();
              EXPECT_EQ(result.code(), ALLOY_EXHAUSTED) << result;
              EXPECT_TRUE(Contains(result, "a result needs 8000")) << result;
              EXPECT_TRUE(Contains(result, "the machine has no memory for them"))
                  << result;
              EXPECT_TRUE(rows("1000").ok());
              // Data in a pool is in plain memory then, and is copied.
              alloy::Pool pool(bridge);
              constexpr int64_t kLarge = 8 << 20;
              void* const large = pool.Resize(nullptr, 0, kLarge);
              EXPECT_NE(large, nullptr);
              std::memset(large, 1, kLarge);
              EXPECT_EQ(pool.Resize(large, kLarge, 0), nullptr);
            }));
}

// The kernel refuses the host what it has given the worker.
TEST(IsolatedEnvironment, AResultThatTheHostCannotReadForLackOfMemoryIsAnError) {
  if (!MayRefuse()) GTEST_SKIP() << "seccomp is refused here";
  EXPECT_EQ(0, InChild([] {
              alloy::Bridge bridge =
                  support::Load("tests/fragile", support::TestHost(), Options());
              EXPECT_TRUE(bridge.Call("rows", Input(0), {{"rows", "1000"}}).ok());
              ASSERT_TRUE(support::RefuseFallocateAbove(128 << 10));
              const auto status =
                  bridge.Call("rows", Input(0), {{"rows", "400000"}}).status();
              EXPECT_EQ(status.code(), ALLOY_EXHAUSTED) << status;
              EXPECT_TRUE(Contains(status, "there is no memory for ")) << status;
              EXPECT_TRUE(bridge.Call("rows", Input(0), {{"rows", "1000"}}).ok());
            }));
}

TEST(IsolatedEnvironment, AMachineWithoutAnyMemoryToShareIsALoadThatFails) {
  if (!MayRefuse()) GTEST_SKIP() << "seccomp is refused here";
  EXPECT_EQ(0, InChild([] {
              ASSERT_TRUE(support::RefuseFallocateAbove(0));
              alloy::Bridge bridge(support::TestHost(), Options());
              const auto status = bridge.SetImplLib(support::BackendPath("tests/crash"));
              EXPECT_EQ(status.code(), ALLOY_EXHAUSTED) << status;
              EXPECT_TRUE(Contains(status, "free memory, or raise the memory limit"))
                  << status;
            }));
}

// `ulimit -f`. To make a segment would raise SIGXFSZ.
TEST(IsolatedEnvironment, ALimitOnTheSizeOfFilesIsAnErrorAndNoSignal) {
  for (const rlim_t most : {rlim_t{0}, rlim_t{1} << 20, rlim_t{6} << 20}) {
    EXPECT_EQ(
        0, InChild([most] {
          alloy::Bridge before = Load();
          alloy::BoundCall call = Bind(before);
          EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
          const struct rlimit small{.rlim_cur = most, .rlim_max = most};
          ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
          alloy::Bridge bridge(support::TestHost(), Options());
          const auto status = bridge.SetImplLib(support::BackendPath("tests/crash"));
          // The sealed copy of the library comes first.
          EXPECT_EQ(status.code(), most == 0 ? ALLOY_REFUSED : ALLOY_EXHAUSTED) << status;
          EXPECT_TRUE(Contains(status, "ulimit -f")) << status;
          EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok()) << "a worker from before";
          const auto large = call.Run(Input(WAY_WELL, 2'000'000)).status();
          EXPECT_EQ(large.code(), ALLOY_EXHAUSTED) << large;
          EXPECT_TRUE(Contains(large, "ulimit -f")) << large;
        }));
  }
}

// ---- /proc

// Without /proc no sealed memory can be loaded. The host hears what to do, and goes on.
TEST(IsolatedEnvironment, WithoutProcALoadIsRefusedAndSaysHowToMountIt) {
  const auto hide = [] {
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::umount2("/proc", MNT_DETACH) == 0;
  };
  if (InChild([&] { EXPECT_TRUE(hide()); }) != 0) {
    GTEST_SKIP() << "SKIPPED: this user may not take /proc away";
  }
  EXPECT_EQ(0, InChild([&] {
              alloy::Bridge before = Load();
              alloy::BoundCall call = Bind(before);
              EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
              ASSERT_TRUE(hide());
              for (int i = 0; i < 2; ++i) {
                alloy::Bridge bridge(support::TestHost(), Options());
                const auto status =
                    bridge.SetImplLib(support::BackendPath("tests/crash"));
                EXPECT_EQ(status.code(), ALLOY_REFUSED) << status;
                EXPECT_TRUE(Contains(status, "mount -t proc proc /proc")) << status;
              }
              // A worker from before is not harmed.
              EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
            }));
}

// ---- Threads

TEST(IsolatedEnvironment, ThirtyTwoThreadsOnOneBridge) {
  alloy::Bridge bridge = Load({.max_workers = 4});
  std::atomic<int> right{0};
  std::atomic<int> lost{0};
  std::atomic<int> other{0};
  {
    std::vector<std::jthread> threads;
    threads.reserve(32);
    for (int thread = 0; thread < 32; ++thread) {
      threads.emplace_back([&, thread] {
        alloy::BoundCall call = Bind(bridge);
        for (int turn = 0; turn < 25; ++turn) {
          const bool crashes = turn % 16 == 8 && thread % 4 == 0;
          const auto result = call.Run(Input(crashes ? WAY_SEGV : WAY_WELL, 1000));
          if (result.ok()) {
            ExpectDoubled(*result);
            ++right;
          } else {
            ++(result.status().code() == ALLOY_LOST ? lost : other);
          }
        }
      });
    }
  }
  EXPECT_EQ(other, 0);
  EXPECT_EQ(lost, 16) << "each crash is the error of one call";
  EXPECT_EQ(right, 32 * 25 - 16);
}

// ---- Signals of the host

TEST(IsolatedEnvironment, AHostThatIgnoresTheEndOfItsChildren) {
  EXPECT_EQ(0, InChild([] {
              ::signal(SIGCHLD, SIG_IGN);
              alloy::Bridge bridge = Load();
              alloy::BoundCall call = Bind(bridge);
              for (int i = 0; i < 3; ++i) {
                EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
                const auto status = call.Run(Input(WAY_SEGV)).status();
                EXPECT_EQ(status.code(), ALLOY_LOST) << status;
                EXPECT_TRUE(Contains(status, "the worker of test.crash ")) << status;
              }
              EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
            }));
}

TEST(IsolatedEnvironment, AHostThatReapsAllItsChildren) {
  EXPECT_EQ(0, InChild([] {
              alloy::Bridge bridge = Load();
              alloy::BoundCall call = Bind(bridge);
              const std::jthread reaper([](const std::stop_token& stop) {
                while (!stop.stop_requested()) {
                  ::waitpid(-1, nullptr, WNOHANG);
                  std::this_thread::sleep_for(std::chrono::microseconds(50));
                }
              });
              for (int i = 0; i < 5; ++i) {
                EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
                EXPECT_EQ(call.Run(Input(WAY_SEGV)).status().code(), ALLOY_LOST);
              }
              EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
            }));
}

// ---- Fork

TEST(IsolatedEnvironment, AChildOfForkIsClosedAndTheParentGoesOn) {
  alloy::Bridge bridge = Load();
  alloy::BoundCall call = Bind(bridge);
  auto kept = call.Run(Input(WAY_WELL, 5000));
  ASSERT_TRUE(kept.ok()) << kept.status();
  const int64_t worker = PidOf(*kept);
  EXPECT_EQ(0, InChild([&] {
              EXPECT_EQ(call.Run(Input(WAY_WELL)).status().code(), ALLOY_CLOSED);
              EXPECT_EQ(bridge.Call("act", Input(WAY_WELL)).status().code(),
                        ALLOY_CLOSED);
              ExpectDoubled(*kept);
              kept = alloy::Status::Invalid("released");
              // A bridge of its own works in the child.
              alloy::Bridge own = Load();
              const auto result = own.Call("act", Input(WAY_WELL));
              EXPECT_TRUE(result.ok()) << result.status();
              // The parent's may end here.
              {
                const alloy::Bridge ended = std::move(bridge);
              }
            }));
  ExpectDoubled(*kept);
  const auto next = call.Run(Input(WAY_WELL));
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(PidOf(*next), worker) << "the child ended a worker of its parent";
}

// The callbacks of an input are those of the parent, and so are the locks that they take.
TEST(IsolatedEnvironment, AChildOfForkReleasesNoInputOfADeadWorker) {
  alloy::Bridge bridge = Load({.max_workers = 1});
  std::optional<alloy::Pool> pool(bridge);
  alloy::BoundCall call = Bind(bridge);
  EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
  isolated::PooledInput input(*pool, WAY_SEGV, 1000);
  EXPECT_EQ(call.Run(input.Give()).status().code(), ALLOY_LOST);
  EXPECT_EQ(input.released(), 0) << "the next call does that";
  EXPECT_EQ(0, InChild([&] {
              {
                const alloy::BoundCall no_call = std::move(call);
                const alloy::Bridge ended = std::move(bridge);
                pool.reset();
              }
              EXPECT_EQ(input.released(), 0);
            }));
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (input.released() == 0 && std::chrono::steady_clock::now() < give_up) {
    EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
  }
  EXPECT_EQ(input.released(), 1);
}

// What a child of fork does with a stream must not be heard by the worker of its parent: it
// would answer into the memory of both, and close the stream of the parent.
TEST(IsolatedEnvironment, AStreamOfTheParentIsClosedInAChildOfForkAndGoesOnInTheParent) {
  alloy::Bridge bridge = support::Load("tests/fragile", support::TestHost(), Options());
  constexpr int kBatches = 6;
  const auto next = [](alloy::Stream& stream) {
    const auto batch = stream.Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
    ExpectDoubled(**batch);
  };
  for (const bool reads : {true, false}) {
    for (const int before : {0, 2}) {
      SCOPED_TRACE(std::to_string(reads) + ", " + std::to_string(before));
      std::vector<alloy::Batch> batches;
      batches.reserve(kBatches);
      for (int i = 0; i < kBatches; ++i) batches.push_back(Input(WAY_WELL));
      std::vector<alloy::Stream> inputs;
      inputs.push_back(alloy::Stream::Of(std::move(batches)));
      auto opened = bridge.Stream("flow", std::move(inputs), {{"at", "nowhere"}});
      ASSERT_TRUE(opened.ok()) << opened.status();
      std::optional<alloy::Stream> stream = *std::move(opened);
      for (int i = 0; i < before; ++i) next(*stream);
      EXPECT_EQ(0, InChild([&] {
                  if (reads) {
                    EXPECT_EQ(stream->Next().status().code(), ALLOY_CLOSED);
                  }
                  stream.reset();
                }));
      for (int i = before; i < kBatches; ++i) next(*stream);
      const auto end = stream->Next();
      EXPECT_TRUE(end.ok() && !end->has_value()) << end.status();
    }
  }
}

}  // namespace
