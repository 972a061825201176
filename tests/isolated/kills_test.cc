// SPDX-License-Identifier: MIT
//
// Processes are killed at random moments. First workers, while batches with known values
// flow through calls and streams: each call returns the right batch or LOST, batches that
// were delivered keep their values, and nothing is left behind. Then hosts: no worker
// outlives its host.
//
// The suite runs a short version. The full one, 10,000 workers and 200 hosts:
//   ALLOY_KILLS=10000 ALLOY_HOST_KILLS=200 build/tests/isolated_kills_test
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/isolated/isolated.h"

namespace {

using isolated::Children;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

// From the environment of the test, before it has threads.
int64_t Times(const char* variable, int64_t short_run) {
  const char* const text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  return text != nullptr ? std::atoll(text) : short_run;
}

// Values that only this first value and this length have.
alloy::Batch Made(int64_t first, int64_t rows) {
  std::vector<int64_t> values(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    values[static_cast<size_t>(row)] = first + (row * 2654435761);
  }
  return *alloy::MakeBatch({{"x", alloy::MakeArray<int64_t>(values)}});
}

struct Delivered {
  alloy::Batch batch;
  int64_t first, rows, factor;

  bool IsRight() const {
    const auto x = batch.column<int64_t>("x");
    if (!x.ok() || batch.rows() != rows) return false;
    for (int64_t row = 0; row < rows; ++row) {
      if (*x->Get(row) != factor * (first + (row * 2654435761))) return false;
    }
    return true;
  }
};

// What one thread of the host does, and what came of it.
class Traffic {
 public:
  Traffic(alloy::Bridge& bridge, uint32_t seed) : bridge_(bridge), random_(seed) {}

  void Calls(const std::atomic<bool>& stop) {
    const alloy::Batch sample = Made(0, 1);
    auto call = bridge_.Bind("double", std::span(&sample.schema(), 1));
    while (!call.ok() && !stop) {
      Expect(call.status());
      call = bridge_.Bind("double", std::span(&sample.schema(), 1));
    }
    while (!stop) {
      const auto [first, rows] = Next();
      // One in eight binds anew.
      auto result = random_() % 8 == 0 ? bridge_.Call("double", Made(first, rows))
                                       : call->Run(Made(first, rows));
      if (result.ok()) {
        Keep({*std::move(result), first, rows, 2});
      } else {
        Expect(result.status());
      }
    }
    CheckKept();
  }

  void Streams(const std::atomic<bool>& stop) {
    while (!stop) {
      std::deque<std::pair<int64_t, int64_t>> asked;
      auto input = alloy::Stream::From(
          alloy::Schema::Copy(Made(0, 1).schema()),
          [&, left = 20]() mutable -> alloy::Result<std::optional<alloy::Batch>> {
            if (left-- == 0) return std::optional<alloy::Batch>();
            asked.push_back(Next());
            return std::optional(Made(asked.back().first, asked.back().second));
          });
      auto stream = bridge_.Stream("pass", std::move(input));
      if (!stream.ok()) {
        Expect(stream.status());
        continue;
      }
      for (;;) {
        auto batch = stream->Next();
        if (!batch.ok()) {
          Expect(batch.status());
          break;
        }
        if (!batch->has_value()) {
          EXPECT_TRUE(asked.empty());
          break;
        }
        ASSERT_FALSE(asked.empty());
        Keep({**std::move(batch), asked.front().first, asked.front().second, 1});
        asked.pop_front();
      }
    }
    CheckKept();
  }

  int64_t good() const { return good_; }
  int64_t lost() const { return lost_; }

 private:
  std::pair<int64_t, int64_t> Next() {
    constexpr int64_t kSizes[] = {1, 10, 1000, 8192, 50000};
    const int64_t first = ++number_ * 1'000'003;
    return {first, kSizes[random_() % std::size(kSizes)]};
  }
  void Expect(const alloy::Status& status) {
    EXPECT_EQ(status.code(), ALLOY_LOST) << status;
    EXPECT_EQ(status.side(), ALLOY_SIDE_WORKER) << status;
    ++lost_;
  }
  void Keep(Delivered delivered) {
    EXPECT_TRUE(delivered.IsRight());
    ++good_;
    kept_.push_back(std::move(delivered));
    if (kept_.size() <= 16) return;
    EXPECT_TRUE(kept_.front().IsRight());
    kept_.pop_front();
  }
  void CheckKept() {
    for (const Delivered& one : kept_) EXPECT_TRUE(one.IsRight());
    kept_.clear();
  }

  alloy::Bridge& bridge_;
  std::mt19937 random_;
  int64_t number_ = 0, lost_ = 0;
  std::atomic<int64_t> good_ = 0;
  std::deque<Delivered> kept_;
};

// Kill children of this process until so many have ended by it.
void KillAtRandom(int64_t times, uint32_t seed) {
  std::mt19937 random(seed);
  std::deque<pid_t> killed;
  while (times > 0) {
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    const std::vector<pid_t> children = Children();
    if (children.empty()) continue;
    const pid_t child = children[random() % children.size()];
    if (std::ranges::find(killed, child) != killed.end()) continue;
    if (::kill(child, SIGKILL) != 0) continue;
    killed.push_back(child);
    if (killed.size() > 64) killed.pop_front();
    --times;
  }
}

TEST(IsolatedKills, WorkersAtRandomMomentsWhileBatchesFlow) {
  const int64_t times = Times("ALLOY_KILLS", 300);
  const alloy::Host host = support::TestHost();
  {
    alloy::Bridge warm = support::Load("tests/streams", host, isolated::Options());
    ASSERT_TRUE(warm.Call("double", Made(1, 3)).ok());
  }
  isolated::Held before = isolated::Held::Now();
  for (int i = 0; i < 10'000 && before.children > 0; ++i) {
    std::this_thread::sleep_for(2ms);
    before = isolated::Held::Now();
  }
  ASSERT_EQ(before.children, 0U);
  {
    alloy::Bridge bridge =
        support::Load("tests/streams", host, isolated::Options({.max_workers = 8}));
    std::atomic<bool> stop{false};
    std::vector<std::unique_ptr<Traffic>> traffic;
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < 4; ++i) {
      Traffic& one = *traffic.emplace_back(std::make_unique<Traffic>(bridge, i));
      threads.emplace_back(
          [&one, &stop, i] { i % 2 == 0 ? one.Calls(stop) : one.Streams(stop); });
    }
    KillAtRandom(times, 7);
    // On a slow machine the kills come faster than the first batch of each thread.
    const auto late = std::chrono::steady_clock::now() + 1min;
    while (!std::ranges::all_of(traffic, [](const auto& one) {
      return one->good() > 0;
    }) && std::chrono::steady_clock::now() < late) {
      std::this_thread::sleep_for(2ms);
    }
    stop = true;
    for (std::thread& thread : threads) thread.join();
    int64_t good = 0, lost = 0;
    for (const auto& one : traffic) {
      EXPECT_GT(one->good(), 0);
      good += one->good();
      lost += one->lost();
    }
    EXPECT_GT(lost, 0);
    std::printf("%lld kills: %lld batches right, %lld calls LOST\n",
                static_cast<long long>(times), static_cast<long long>(good),
                static_cast<long long>(lost));
    // The last back-off ends, and the bridge is of use again.
    const auto give_up = std::chrono::steady_clock::now() + 1min;
    auto result = bridge.Call("double", Made(1, 3));
    while (!result.ok() && std::chrono::steady_clock::now() < give_up) {
      result = bridge.Call("double", Made(1, 3));
    }
    EXPECT_TRUE(result.ok()) << result.status();
  }
  isolated::ExpectSoonHeld(before, [] {});
}

// A process that gets the orphans of its children sees each one of them.
TEST(IsolatedKills, NoWorkerOutlivesItsHost) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  std::mt19937 random(11);
  const int64_t times = Times("ALLOY_HOST_KILLS", 20);
  const std::string program = ALLOY_TEST_BUILD "/tests/isolated_killed_host";
  const std::string library = support::BackendPath("tests/streams");
  for (int64_t i = 0; i < times; ++i) {
    int ready[2];
    ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ready[1], 1);
    std::string first = program, second = library;
    char* arguments[] = {first.data(), second.data(), nullptr};
    pid_t host = 0;
    ASSERT_EQ(
        ::posix_spawn(&host, program.c_str(), &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1) << "the host has not begun";
    ::close(ready[0]);
    // Some hosts are killed while they start further workers.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
    ::kill(host, SIGKILL);
    // One second, but of a machine that lets this process run: where a wait of a millisecond
    // takes longer, the kernel too needs longer to end what was killed.
    constexpr int kMostTurns = 1000;
    int64_t ended = 0;
    for (int turn = 0;;) {
      const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
      if (pid > 0) ++ended;
      if (pid < 0 && errno == ECHILD) break;
      if (pid != 0) continue;
      if (++turn > kMostTurns) break;
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_GE(ended, 2) << "the host had no worker";
    const std::vector<pid_t> orphans = Children();
    EXPECT_TRUE(orphans.empty()) << orphans.size() << " orphans after host " << i;
    for (const pid_t orphan : orphans) {
      ::kill(orphan, SIGKILL);
      ::waitpid(orphan, nullptr, 0);
    }
  }
}

}  // namespace
