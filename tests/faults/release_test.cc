// SPDX-License-Identifier: MIT
//
// Release callbacks that misbehave, and releases in an unusual order or on another thread.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/faults/hosts.h"
#include "tests/faults/tree.h"

namespace {

using faults::Outcome;
using faults::Tree;

class ReleaseTest : public testing::Test {
 protected:
  void SetUp() override {
    const Outcome bound = host_.Bind("identity", tree_.schema(Tree::kRoot), {});
    ASSERT_EQ(bound.code, ALLOY_OK) << bound.text;
  }

  // Pass the tree through the call and return the result.
  ArrowArray Result() {
    ArrowArray input;
    ArrowArray output;
    tree_.MoveArray(&input);
    const Outcome told = host_.Run(&input, &output);
    EXPECT_EQ(told.code, ALLOY_OK) << told.text;
    EXPECT_EQ(input.release, nullptr);
    return output;
  }

  Tree tree_;
  faults::CHost host_{"tests/identity", {}};
};

// Counts, and leaves the struct unchanged.
int careless_releases = 0;
void ReleaseCarelessly(ArrowArray*) { ++careless_releases; }

// nanoarrow#203, arrow#35760: a release that does not clear itself.
TEST_F(ReleaseTest, OneThatDoesNotClearItselfIsCalledOnceForAnInputThatIsRefused) {
  careless_releases = 0;
  ArrowArray input;
  ArrowArray output;
  tree_.MoveArray(&input);
  input.release = &ReleaseCarelessly;
  input.length = -1;
  const Outcome told = host_.Run(&input, &output);
  EXPECT_EQ(told.reason, ALLOY_REASON_LENGTH) << told.text;
  EXPECT_EQ(careless_releases, 1);
  EXPECT_EQ(input.release, nullptr);
  EXPECT_EQ(output.release, nullptr);
}

TEST_F(ReleaseTest, OneThatDoesNotClearItselfIsCalledOnceForAnInputThatIsLeft) {
  careless_releases = 0;
  faults::CHost host("tests/unruly", {});
  ASSERT_EQ(host.Bind("empty", tree_.schema(Tree::kRoot), {}).code, ALLOY_OK);
  ArrowArray input;
  ArrowArray output;
  tree_.MoveArray(&input);
  input.release = &ReleaseCarelessly;
  const Outcome told = host.Run(&input, &output);
  ASSERT_EQ(told.code, ALLOY_OK) << told.text;
  EXPECT_EQ(careless_releases, 1);
  EXPECT_EQ(input.release, nullptr);
  output.release(&output);
}

TEST_F(ReleaseTest, OneThatDoesNotClearItselfIsCalledOnceForAResultThatIsRefused) {
  careless_releases = 0;
  ArrowArray input;
  ArrowArray output;
  tree_.SetBuffer(Tree::kDictionary, 1, "\x00\x7f\x00\x00");
  tree_.MoveArray(&input);
  input.release = &ReleaseCarelessly;
  const Outcome told = host_.Run(&input, &output);
  EXPECT_EQ(told.reason, ALLOY_REASON_INDEX) << told.text;
  EXPECT_EQ(told.side, ALLOY_SIDE_CALLER) << "it returned its input unchanged";
  EXPECT_EQ(careless_releases, 1);
  EXPECT_EQ(output.release, nullptr);
}

// A repaired batch is a block that owns the original, and releases it once.
TEST_F(ReleaseTest, OneThatDoesNotClearItselfIsCalledOnceBelowARepairedBatch) {
  careless_releases = 0;
  ArrowArray input;
  ArrowArray output;
  tree_.MoveArray(&input);
  input.release = &ReleaseCarelessly;
  input.offset = 1;
  input.length = 3;
  const Outcome told = host_.Run(&input, &output);
  ASSERT_EQ(told.code, ALLOY_OK) << told.text;
  EXPECT_EQ(careless_releases, support::ReleasesWhileHeld());
  output.release(&output);
  EXPECT_EQ(careless_releases, 1);
}

// What a release callback gets when it calls into Alloy.
struct Reentry {
  faults::TestHost* same = nullptr;
  faults::TestHost* other = nullptr;
  Tree* batch = nullptr;
  void (*real)(ArrowArray*) = nullptr;
  Outcome from_same = {};
  Outcome from_other = {};
  bool same_took = false;
  bool other_served = false;
} reentry;

void ReleaseByWayOfAlloy(ArrowArray* array) {
  ArrowArray output;
  ArrowArray input;
  reentry.batch->MoveArray(&input);
  reentry.from_same = reentry.same->Run(&input, &output);
  reentry.same_took = input.release == nullptr;
  if (!reentry.same_took) {
    reentry.from_other = reentry.other->Run(&input, &output);
    reentry.other_served = output.release != nullptr;
  }
  if (output.release != nullptr) output.release(&output);
  reentry.real(array);
}

TEST_F(ReleaseTest, OneThatCallsBackFindsItsOwnCallBusyAndAnotherFree) {
  faults::CHost other("tests/identity", {});
  ASSERT_EQ(other.Bind("identity", tree_.schema(Tree::kRoot), {}).code, ALLOY_OK);
  Tree inner;
  ArrowArray input;
  ArrowArray output;
  tree_.MoveArray(&input);
  reentry = {.same = &host_, .other = &other, .batch = &inner, .real = input.release};
  input.release = &ReleaseByWayOfAlloy;
  input.length = -1;  // the run refuses it, and so releases it
  const Outcome told = host_.Run(&input, &output);
  EXPECT_EQ(told.reason, ALLOY_REASON_LENGTH);
  EXPECT_EQ(tree_.releases(), 1);
  EXPECT_EQ(reentry.from_same.code, ALLOY_BUSY) << reentry.from_same.text;
  EXPECT_FALSE(reentry.same_took);
  EXPECT_EQ(reentry.from_other.code, ALLOY_OK) << reentry.from_other.text;
  EXPECT_TRUE(reentry.other_served);
  EXPECT_EQ(inner.releases(), 1);
  EXPECT_TRUE(inner.ReleasedAtMostOnce());
}

TEST_F(ReleaseTest, OneOfAResultMayCallTheCallThatGaveIt) {
  ArrowArray output = Result();
  Tree inner;
  reentry = {.same = &host_, .other = &host_, .batch = &inner, .real = output.release};
  output.release = &ReleaseByWayOfAlloy;
  output.release(&output);
  EXPECT_EQ(reentry.from_same.code, ALLOY_OK) << reentry.from_same.text;
  EXPECT_EQ(tree_.releases(), 1);
}

// duckdb#9254, arrow-rs#20: children moved out before the parent is released.
TEST_F(ReleaseTest, ChildrenMovedOutOutliveTheirParent) {
  for (const bool repaired : {false, true}) {
    SCOPED_TRACE(repaired);
    Tree tree;
    ArrowArray input;
    ArrowArray output;
    tree.MoveArray(&input);
    if (repaired) {
      input.offset = 1;
      input.length = 3;
    }
    ASSERT_EQ(host_.Run(&input, &output).code, ALLOY_OK);
    ArrowArray& column = *output.children[1];
    ArrowArray moved = column;
    column.release = nullptr;
    output.release(&output);
    EXPECT_NE(moved.release, nullptr);
    EXPECT_EQ(moved.length, repaired ? 3 : 4);
    const auto* const offsets =
        static_cast<const int32_t*>(moved.buffers[1]) + moved.offset;
    EXPECT_EQ(offsets[1] - offsets[0], repaired ? 2 : 1);
    std::jthread([&moved] { moved.release(&moved); }).join();
    EXPECT_EQ(tree.releases(), 1);
    EXPECT_TRUE(tree.ReleasedAtMostOnce());
  }
}

TEST_F(ReleaseTest, AResultMayBeReleasedByAnyThread) {
  ArrowArray output = Result();
  std::jthread([&output] { output.release(&output); }).join();
  EXPECT_EQ(tree_.releases(), 1);
  EXPECT_TRUE(tree_.ReleasedAtMostOnce());
}

TEST_F(ReleaseTest, ColumnsMayBeReleasedByAThreadEach) {
  ArrowArray input;
  ArrowArray output;
  tree_.MoveArray(&input);
  input.offset = 1;  // repaired: the columns belong to one block
  input.length = 3;
  ASSERT_EQ(host_.Run(&input, &output).code, ALLOY_OK);
  std::vector<ArrowArray> columns;
  for (int64_t i = 0; i < output.n_children; ++i) {
    columns.push_back(*output.children[i]);
    output.children[i]->release = nullptr;
  }
  output.release(&output);
  {
    std::vector<std::jthread> threads;
    for (ArrowArray& column : columns) {
      threads.emplace_back([&column] { column.release(&column); });
    }
  }
  EXPECT_EQ(tree_.releases(), 1);
  EXPECT_TRUE(tree_.ReleasedAtMostOnce());
}

}  // namespace
