// SPDX-License-Identifier: MIT
//
// Many threads, and many calls.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/faults/tree.h"
#include "tests/support/support.h"

namespace {

using faults::Tree;

TEST(ThreadsTest, ManyShareABridge) {
  constexpr int kThreads = 32;
  constexpr int kCalls = 100;
  alloy::Bridge bridge = support::Load("tests/typed");
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&bridge, &wrong, t] {
      for (int i = 0; i < kCalls; ++i) {
        const int64_t value = t * kCalls + i;
        // Two types: two bindings of one name, used by all threads at once.
        if (i % 2 == 0) {
          const auto batch =
              alloy::MakeBatch({{"x", alloy::MakeArray<int64_t>({value})}});
          wrong +=
              support::Only<int64_t>(bridge.Call("twice", *batch), "twice") != 2 * value;
        } else {
          const auto batch = alloy::MakeBatch(
              {{"x", alloy::MakeArray<std::string>({std::string_view("ab")})}});
          wrong += support::Only<std::string_view>(bridge.Call("twice", *batch),
                                                   "twice") != "abab";
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(ThreadsTest, ALibraryIsSetWhileCallsRun) {
  alloy::Bridge bridge = support::Load("tests/identity");
  std::atomic<bool> done = false;
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const auto batch = support::SmallBatch();
      while (!done) {
        const auto result = bridge.Call("identity", batch);
        failed += result.ok() ? 0 : 1;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(bridge.SetImplLib(support::BackendPath("tests/identity")).ok());
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
}

TEST(ThreadsTest, ASecondUserOfACallIsToldThatItIsBusy) {
  const alloy::Bridge bridge = support::Load("tests/unruly");
  Tree first;
  Tree second;
  alloy_error error;
  const auto call =
      support::Bind(bridge, "slow_but_sure", first.schema(Tree::kRoot), &error);
  ASSERT_NE(call, nullptr) << error.text;
  constexpr uint64_t kTicket = 1;
  ArrowArray input;
  first.MoveArray(&input);
  ArrowArray output;
  alloy_code code = ALLOY_INTERNAL;
  std::thread runner(
      [&] { code = alloy_call_run(call.get(), &input, &output, 0, kTicket, nullptr); });
  int64_t done = 0;
  int64_t total = 0;
  while (done == 0) alloy_call_progress(call.get(), &done, &total);

  ArrowArray refused;
  ArrowArray nothing;
  second.MoveArray(&refused);
  EXPECT_EQ(alloy_call_run(call.get(), &refused, &nothing, 0, 0, &error), ALLOY_BUSY);
  EXPECT_EQ(second.releases(), 0) << "BUSY takes nothing";
  ASSERT_NE(refused.release, nullptr);
  refused.release(&refused);

  alloy_call_cancel(call.get(), kTicket);
  runner.join();
  ASSERT_EQ(code, ALLOY_OK);
  output.release(&output);
  EXPECT_EQ(first.releases(), 1);
}

TEST(ThreadsTest, ResultsAreReleasedOnOtherThreads) {
  alloy::Bridge bridge = support::Load("tests/identity");
  Tree tree;
  {
    const auto batch = support::ImportTree(tree);
    ASSERT_TRUE(batch.ok()) << batch.status();
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      auto result = bridge.Call("identity", *batch);
      ASSERT_TRUE(result.ok()) << result.status();
      threads.emplace_back([result = std::move(*result)]() mutable {
        const alloy::Batch last = std::move(result);
        EXPECT_EQ(last.rows(), Tree::kRows);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(tree.releases(), 1);
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
}

TEST(ThreadsTest, LinesOfConcurrentCallsAreWhole) {
  const auto lines = std::make_shared<support::LogLines>();
  alloy::Bridge bridge = support::Load("echo_cpp", support::TestHost(lines));
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&bridge] {
      std::vector<alloy::Array> arrays;
      arrays.push_back(alloy::MakeArray<int32_t>({1, 2, 3}));
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(bridge.FromChunks(arrays).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  int arrays = 0;
  for (const std::string& line : lines->Take()) {
    arrays += line == "[C++] array1: Int32[1, 2, 3]" ? 1 : 0;
  }
  EXPECT_EQ(arrays, 160);
}

// Where malloc is a sanitizer's, mallinfo2 answers 0 and the leak checker takes over.
TEST(ThreadsTest, TenThousandRoundTripsTakeNoMoreMemory) {
  alloy::Bridge bridge = support::Load("tests/typed");
  const auto round = [&bridge](int i) {
    const std::vector<double> values(1024, i);
    const auto batch = alloy::MakeBatch({{"x", alloy::MakeArray(values)}});
    const auto result = bridge.Call("split", *batch);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ((*result->column<double>("whole"))[7], i);
  };
  for (int i = 0; i < 1'000; ++i) round(i);
  const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  for (int i = 0; i < 10'000; ++i) round(i);
  const size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_LT(after, before + 16 * 1024);
}

}  // namespace
