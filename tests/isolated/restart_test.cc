// SPDX-License-Identifier: MIT
//
// What comes after a death: a new worker with the next call, a second try where the host asked
// for it, a wait after many deaths in a row, and one limit for the memory of all workers.
#include <gtest/gtest.h>
#include <malloc.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/pool.hpp"
#include "tests/isolated/isolated.h"
#include "tests/isolated/pooled_input.h"

namespace {

using isolated::Bind;
using isolated::Contains;
using isolated::ExpectDoubled;
using isolated::Input;
using isolated::Options;
using isolated::PidOf;
using isolated::PooledInput;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

constexpr const char* kLibraries[] = {"tests/crash", "tests/crash_cpp"};

// Runs a function that waits for the host, while its first `kills` workers are killed in it,
// one after another.
alloy::Result<alloy::Batch> RunWhileKilled(alloy::BoundCall& call, int kills,
                                           const alloy::Batch& input = Input(WAY_HELD)) {
  const auto first = call.Run(Input(WAY_WELL));
  EXPECT_TRUE(first.ok()) << first.status();
  const std::jthread killer([&call, kills](const std::stop_token& stop) {
    std::set<int64_t> killed;
    for (; !stop.stop_requested(); std::this_thread::sleep_for(1ms)) {
      // What a run reports is the number of its process, so it has begun.
      const int64_t worker = call.Progress().first;
      if (worker == 0 || killed.contains(worker)) continue;
      const bool ends = static_cast<int>(killed.size()) < kills;
      ::kill(static_cast<pid_t>(worker), ends ? SIGKILL : SIGUSR1);
      if (ends) killed.insert(worker);
    }
  });
  auto result = call.Run(input);
  if (result.ok()) {
    EXPECT_NE(PidOf(*result), PidOf(*first));
  }
  return result;
}

TEST(IsolatedRestart, AFunctionThatMayRunAgainIsTriedInANewWorker) {
  for (const char* library : kLibraries) {
    alloy::Bridge bridge = support::Load(library, support::TestHost(),
                                         Options({.max_workers = 1, .retries = 2}));
    alloy::BoundCall call = Bind(bridge, "act_again");
    const auto result = RunWhileKilled(call, 2);
    ASSERT_TRUE(result.ok()) << library << ": " << result.status();
    ExpectDoubled(*result);
    // A third death is one too many.
    const auto lost = RunWhileKilled(call, 3);
    EXPECT_EQ(lost.status().code(), ALLOY_LOST) << library << ": " << lost.status();
    EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
  }
}

// The worker that died may have its input for a while. The next one gets the same memory.
TEST(IsolatedRestart, AnInputInAPoolIsTriedAgainAndReleasedOnce) {
  for (const char* library : kLibraries) {
    alloy::Bridge bridge = support::Load(library, support::TestHost(),
                                         Options({.max_workers = 1, .retries = 2}));
    alloy::Pool pool(bridge);
    alloy::BoundCall call = Bind(bridge, "act_again");
    PooledInput held(pool, WAY_HELD, 1000), well(pool, WAY_WELL, 1000);
    for (int turn = 0; turn < 3; ++turn) {
      const auto result = RunWhileKilled(call, 2, held.Give());
      ASSERT_TRUE(result.ok()) << library << ": " << result.status();
      EXPECT_EQ(result->rows(), 1000);
      ExpectDoubled(*result);
    }
    // A third death is one too many. The input is not given back.
    const auto lost = RunWhileKilled(call, 3, held.Give());
    EXPECT_EQ(lost.status().code(), ALLOY_LOST) << library << ": " << lost.status();
    const auto give_up = std::chrono::steady_clock::now() + 1min;
    while ((held.released() < held.given() || well.released() < well.given()) &&
           std::chrono::steady_clock::now() < give_up) {
      EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
      std::this_thread::sleep_for(2ms);
    }
    EXPECT_EQ(held.released(), held.given()) << library;
    const auto next = call.Run(well.Give());
    ASSERT_TRUE(next.ok()) << next.status();
    ExpectDoubled(*next);
    while (well.released() < well.given() && std::chrono::steady_clock::now() < give_up) {
      EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
    }
    EXPECT_EQ(well.released(), 1) << library;
  }
}

TEST(IsolatedRestart, NothingElseIsTriedAgain) {
  for (const auto& [function, retries] : {std::pair("act", 2U), {"act_again", 0U}}) {
    alloy::Bridge bridge = support::Load("tests/crash", support::TestHost(),
                                         Options({.max_workers = 1, .retries = retries}));
    alloy::BoundCall call = Bind(bridge, function);
    const auto lost = RunWhileKilled(call, 1);
    EXPECT_EQ(lost.status().code(), ALLOY_LOST) << function << ": " << lost.status();
    EXPECT_TRUE(call.Run(Input(WAY_WELL)).ok());
  }
}

// Workers that die before they have answered anything: four cost nothing, the next ones are
// waited for, and after twelve calls fail at once until the next start is allowed.
TEST(IsolatedRestart, ManyDeathsInARowAreSlowedDownAndForgottenAfterASuccess) {
  alloy::Bridge bridge = support::Load("tests/crash", support::TestHost(), Options());
  const auto crash = [&] {
    return bridge.Call("act", Input(WAY_WELL), {{"bind", std::to_string(WAY_SEGV)}})
        .status();
  };
  const auto begin = std::chrono::steady_clock::now();
  for (int death = 1; death <= 12; ++death) {
    const auto status = crash();
    ASSERT_EQ(status.code(), ALLOY_LOST) << death << ": " << status;
    EXPECT_TRUE(Contains(status, "died by SIGSEGV")) << death << ": " << status;
  }
  // 5, 10, 20 ms and so on before the last seven.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 600ms);
  // On a slow machine the next start may be allowed already. Then one more death puts it
  // off again. A call that had waited would not say how long it has to.
  auto refused = bridge.Call("act", Input(WAY_WELL)).status();
  for (int turn = 0; refused.ok() && turn < 100; ++turn) {
    for (int death = 1; death <= 12; ++death) EXPECT_EQ(crash().code(), ALLOY_LOST);
    refused = bridge.Call("act", Input(WAY_WELL)).status();
  }
  EXPECT_EQ(refused.code(), ALLOY_LOST) << refused;
  EXPECT_EQ(refused.reason(), ALLOY_REASON_WORKER_SIGNAL) << refused;
  EXPECT_TRUE(Contains(refused,
                       "12 workers of test.crash have died one after another; "
                       "the next one is started in "))
      << refused;

  const auto give_up = std::chrono::steady_clock::now() + 1min;
  auto result = bridge.Call("act", Input(WAY_WELL));
  while (!result.ok() && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(10ms);
    result = bridge.Call("act", Input(WAY_WELL));
  }
  ASSERT_TRUE(result.ok()) << result.status();
  ExpectDoubled(*result);
  // What was answered has set the count back: one death costs nothing again. A thirteenth
  // would make the next call fail at once.
  EXPECT_EQ(crash().code(), ALLOY_LOST);
  const auto after = bridge.Call("act", Input(WAY_WELL));
  EXPECT_TRUE(after.ok()) << after.status();
}

TEST(IsolatedRestart, ResultsOfDeadWorkersCountAgainstTheLimit) {
  alloy::Bridge bridge = support::Load("tests/fragile", support::TestHost(),
                                       Options({.output_bytes = int64_t{16} << 20}));
  const auto pid = [&] {
    return static_cast<pid_t>(
        support::Only<int64_t>(bridge.Call("pid", Input(0)), "pid"));
  };
  std::vector<alloy::Batch> held;
  alloy::Status full;
  for (int worker = 0; worker < 16 && full.ok(); ++worker) {
    // 1.6 MB in the memory of a worker that dies then.
    auto result = bridge.Call("rows", Input(0), {{"rows", "200000"}});
    if (!result.ok()) {
      full = result.status();
      break;
    }
    held.push_back(*std::move(result));
    ::kill(pid(), SIGKILL);
    const auto give_up = std::chrono::steady_clock::now() + 1min;
    while (bridge.Call("pid", Input(0)).status().code() == ALLOY_LOST &&
           std::chrono::steady_clock::now() < give_up) {
    }
  }
  EXPECT_EQ(full.code(), ALLOY_EXHAUSTED) << full;
  EXPECT_TRUE(Contains(full, "16777216")) << full;
  EXPECT_GT(held.size(), 1U);
  for (const alloy::Batch& batch : held) {
    ASSERT_EQ(batch.rows(), 200'000);
    for (int64_t row = 0; row < batch.rows(); row += 9'973) {
      ASSERT_EQ(*batch.column<int64_t>("x")->Get(row), row);
    }
  }
  held.clear();
  const auto next = bridge.Call("rows", Input(0), {{"rows", "200000"}});
  EXPECT_TRUE(next.ok()) << next.status();
}

// A worker frees the state of a call when it is used next. One that is in a stream for days
// must not hear of the states of all other workers then.
TEST(IsolatedRestart, AWorkerInAStreamCollectsNoStatesOfOtherCalls) {
  alloy::Bridge bridge =
      support::Load("tests/fragile", support::TestHost(), Options({.max_workers = 2}));
  const alloy::Batch input = Input(0);
  std::vector<alloy::Batch> batches;
  batches.push_back(Input(0));
  auto stream = bridge.Stream("flow", alloy::Stream::Of(std::move(batches)));
  ASSERT_TRUE(stream.ok()) << stream.status();
  int number = 100'000;  // of the same width each
  const auto bind = [&](int times) {
    for (int i = 0; i < times; ++i) {
      // The engine keeps some binds, and uses them again for the same options.
      const auto call = bridge.Bind("rows", std::span(&input.schema(), 1),
                                    {{"rows", std::to_string(number++)}});
      ASSERT_TRUE(call.ok()) << call.status();
    }
  };
  bind(1000);
  const size_t before = ::mallinfo2().uordblks;
  constexpr int kBinds = 8000;
  bind(kBinds);
  const size_t after = ::mallinfo2().uordblks;
  if (!isolated::kHasHeapLimit) return;  // a sanitizer has another heap
  EXPECT_LT(after, before + kBinds * sizeof(uint64_t) / 2);
}

// A result keeps the inputs that it may be a part of. Those of a function that keeps all its
// inputs are the same for each result, and are listed once.
TEST(IsolatedRestart, ManyResultsOfManyKeptInputsTakeLittleMemoryOfTheHost) {
  constexpr int kBatches = 500;
  alloy::Bridge bridge = support::Load("tests/fragile", support::TestHost(), Options());
  std::vector<alloy::Batch> batches;
  batches.reserve(kBatches);
  for (int i = 0; i < kBatches; ++i) batches.push_back(Input(0, 64));
  auto stream = bridge.Stream("keep", alloy::Stream::Of(std::move(batches)));
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::vector<alloy::Batch> results;
  results.reserve(kBatches);
  size_t before = 0;
  for (int i = 0; i < kBatches; ++i) {
    auto batch = stream->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
    if (i == 0) before = ::mallinfo2().uordblks;
    results.push_back(**std::move(batch));
  }
  const size_t after = ::mallinfo2().uordblks;
  for (int i = 0; i < kBatches; ++i) {
    EXPECT_EQ(results[static_cast<size_t>(i)].column<int64_t>("x")->Get(0), i);
  }
  if (!isolated::kHasHeapLimit) return;  // a sanitizer has another heap
  EXPECT_LT(after, before + (size_t{1} << 20));
}

// What the host never hears of, it cannot free.
TEST(IsolatedRestart, ABindWhoseSchemaDoesNotCrossLeavesNothingInTheWorker) {
  alloy::Bridge bridge =
      support::Load("tests/fragile", support::TestHost(), Options({.max_workers = 1}));
  const auto alive = [&] {
    return support::Only<int64_t>(bridge.Call("alive", Input(0)), "alive");
  };
  EXPECT_EQ(alive(), 0);
  for (int i = 0; i < 3; ++i) {
    const auto status = bridge.Call("wide", Input(0), {{"bytes", "5000000"}}).status();
    EXPECT_EQ(status.code(), ALLOY_EXHAUSTED) << status;
    EXPECT_TRUE(Contains(status, "the schema of the result is too large to cross"))
        << status;
    EXPECT_EQ(alive(), 0);
  }
  const auto small = bridge.Call("wide", Input(0), {{"bytes", "5"}});
  EXPECT_TRUE(small.ok()) << small.status();
}

TEST(IsolatedRestart, AnInputAboveTheLimitNamesBothNumbersAndKeepsTheWorker) {
  alloy::Bridge bridge = support::Load("tests/crash", support::TestHost(),
                                       Options({.input_bytes = int64_t{16} << 20}));
  alloy::BoundCall call = Bind(bridge);
  const int64_t worker = PidOf(*call.Run(Input(WAY_WELL)));
  const auto status = call.Run(Input(WAY_WELL, 3'000'000)).status();
  EXPECT_EQ(status.code(), ALLOY_EXHAUSTED) << status;
  EXPECT_EQ(status.side(), ALLOY_SIDE_CALLER) << status;
  EXPECT_EQ(status.input(), 0) << status;
  EXPECT_TRUE(Contains(status, "24000")) << status;
  EXPECT_TRUE(Contains(status, "16777216")) << status;
  const auto next = call.Run(Input(WAY_WELL));
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(PidOf(*next), worker);
}

}  // namespace
