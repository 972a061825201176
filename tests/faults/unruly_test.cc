// SPDX-License-Identifier: MIT
//
// Backends that fail, throw, keep their inputs, or return malformed results.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/faults/tree.h"
#include "tests/support/support.h"

namespace {

using faults::Tree;

class UnrulyTest : public testing::Test {
 protected:
  // Call with a tree. It must be released once, after the result is gone.
  alloy::Status CallWithTree(const char* function, const alloy::OptionMap& options = {}) {
    Tree tree;
    alloy::Status status;
    {
      auto batch = support::ImportTree(tree);
      EXPECT_TRUE(batch.ok()) << batch.status();
      status = bridge_.Call(function, *batch, options).status();
      EXPECT_EQ(tree.releases(), 0) << "the host's own owner is alive";
    }
    EXPECT_EQ(tree.releases(), 1);
    EXPECT_TRUE(tree.ReleasedAtMostOnce());
    return status;
  }

  void ExpectServes() {
    const auto result = bridge_.Call("empty", support::SmallBatch());
    EXPECT_TRUE(result.ok()) << result.status();
  }

  alloy::Bridge bridge_ = support::Load("tests/unruly");
};

TEST_F(UnrulyTest, AnErrorKeepsItsCodeAndItsText) {
  const auto status =
      CallWithTree("fails", {{"code", "7"}, {"text", "the model is not loaded"}});
  EXPECT_EQ(status.code(), ALLOY_RETRY);
  EXPECT_EQ(status.side(), ALLOY_SIDE_BACKEND);
  EXPECT_NE(status.text().find("the model is not loaded"), std::string_view::npos)
      << status;
  ExpectServes();
}

TEST_F(UnrulyTest, ACodeThatIsNoneIsInternal) {
  for (const char* code : {"0", "99", "-1"}) {
    EXPECT_EQ(CallWithTree("fails", {{"code", code}}).code(), ALLOY_INTERNAL) << code;
  }
  ExpectServes();
}

TEST_F(UnrulyTest, AnExceptionIsAnErrorWithItsWhat) {
  auto status = CallWithTree("throws", {{"what", "division by a cucumber"}});
  EXPECT_EQ(status.code(), ALLOY_FAILED);
  EXPECT_NE(status.text().find("division by a cucumber"), std::string_view::npos);
  status = CallWithTree("throws", {{"what", "int"}});
  EXPECT_EQ(status.code(), ALLOY_FAILED);
  EXPECT_NE(status.text().find("no std::exception"), std::string_view::npos) << status;
  EXPECT_EQ(CallWithTree("throws", {{"what", "bad_alloc"}}).code(), ALLOY_EXHAUSTED);
  ExpectServes();
}

TEST_F(UnrulyTest, ALongTextIsCut) {
  const auto status = CallWithTree("throws", {{"what", "long"}});
  EXPECT_EQ(status.code(), ALLOY_FAILED);
  EXPECT_GT(status.text().size(), 900U);
  EXPECT_LT(status.text().size(), 1004U);
}

TEST_F(UnrulyTest, AnExceptionInBindIsAnError) {
  const auto status = CallWithTree("bind_throws", {{"what", "no such model"}});
  EXPECT_EQ(status.code(), ALLOY_FAILED);
  EXPECT_NE(status.text().find("no such model"), std::string_view::npos) << status;
  ExpectServes();
}

TEST_F(UnrulyTest, AnEmptyResultHasItsColumns) {
  const auto result = bridge_.Call("empty", support::SmallBatch());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->rows(), 0);
  EXPECT_EQ(result->columns(), 3);
  EXPECT_TRUE(result->column<int64_t>("number").ok());
  EXPECT_TRUE(result->column<std::string_view>("text").ok());
  EXPECT_TRUE(result->column<bool>("flag").ok());
}

TEST_F(UnrulyTest, AResultWithoutColumnsHasItsRows) {
  const auto result = bridge_.Call("no_columns", support::SmallBatch());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->rows(), 3);
  EXPECT_EQ(result->columns(), 0);
}

TEST_F(UnrulyTest, NoOutputIsAFaultOfTheBackend) {
  const auto status = CallWithTree("nothing");
  EXPECT_EQ(status.reason(), ALLOY_REASON_ARRAY_RELEASED) << status;
  EXPECT_EQ(status.side(), ALLOY_SIDE_BACKEND);
  ExpectServes();
}

TEST_F(UnrulyTest, AnOutputGivenWithAnErrorIsReleased) {
  // If one is not released, the leak checker of the sanitizer presets reports it.
  EXPECT_EQ(CallWithTree("output_and_error").code(), ALLOY_FAILED);
  ExpectServes();
}

TEST_F(UnrulyTest, ABackendMayReleaseItsInputItself) {
  EXPECT_TRUE(CallWithTree("releases_its_input").ok());
}

TEST_F(UnrulyTest, AColumnMayBeMovedOut) {
  EXPECT_TRUE(CallWithTree("first_column").ok());
}

TEST_F(UnrulyTest, ARowwiseFunctionGivesAsManyRows) {
  const auto status = CallWithTree("wrong_rows");
  EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
  EXPECT_EQ(status.reason(), ALLOY_REASON_ROW_COUNT);
  EXPECT_EQ(status.side(), ALLOY_SIDE_BACKEND);
  ExpectServes();
}

TEST_F(UnrulyTest, ChunksAreCountedInOneRow) {
  std::vector<alloy::Array> arrays;
  arrays.push_back(alloy::MakeArray<int32_t>({1}));
  const auto count = bridge_.FromChunks(arrays);
  EXPECT_EQ(count.status().code(), ALLOY_BAD_DATA);
  EXPECT_EQ(count.status().reason(), ALLOY_REASON_RESULT_SHAPE);
  EXPECT_EQ(count.status().side(), ALLOY_SIDE_BACKEND);
  ExpectServes();
}

TEST_F(UnrulyTest, AnInputMayOutliveItsCallAndComeBack) {
  Tree tree;
  alloy_error error;
  const auto keep = support::Bind(bridge_, "keep", tree.schema(Tree::kRoot), &error);
  const auto give = support::Bind(bridge_, "give_back", tree.schema(Tree::kRoot), &error);
  ASSERT_NE(keep, nullptr) << error.text;
  ASSERT_NE(give, nullptr) << error.text;
  ArrowArray input;
  ArrowArray output;
  tree.MoveArray(&input);
  ASSERT_EQ(alloy_call_run(keep.get(), &input, &output, 0, 0, &error), ALLOY_OK);
  output.release(&output);
  EXPECT_EQ(tree.releases(), support::ReleasesWhileHeld());

  Tree other;
  other.MoveArray(&input);
  ASSERT_EQ(alloy_call_run(give.get(), &input, &output, 0, 0, &error), ALLOY_OK)
      << error.text;
  EXPECT_EQ(other.releases(), 1);
  EXPECT_EQ(tree.releases(), support::ReleasesWhileHeld());
  const void* const ints = output.children[Tree::kInt32]->buffers[1];
  EXPECT_EQ(std::memcmp(ints, Tree::kInts, Tree::kRows * sizeof(Tree::kInts[0])), 0);
  EXPECT_EQ(ints == Tree::kInts, support::SharesMemory());
  output.release(&output);
  EXPECT_EQ(tree.releases(), 1);
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
}

TEST_F(UnrulyTest, AnInputMayOutliveItsCallAndBeReleasedInAnother) {
  Tree tree;
  alloy_error error;
  const auto keep = support::Bind(bridge_, "keep", tree.schema(Tree::kRoot), &error);
  const auto let_go = support::Bind(bridge_, "let_go", tree.schema(Tree::kRoot), &error);
  ASSERT_NE(keep, nullptr) << error.text;
  ASSERT_NE(let_go, nullptr) << error.text;
  ArrowArray input;
  ArrowArray output;
  tree.MoveArray(&input);
  ASSERT_EQ(alloy_call_run(keep.get(), &input, &output, 0, 0, &error), ALLOY_OK);
  output.release(&output);
  EXPECT_EQ(tree.releases(), support::ReleasesWhileHeld());
  Tree other;
  other.MoveArray(&input);
  ASSERT_EQ(alloy_call_run(let_go.get(), &input, &output, 0, 0, &error), ALLOY_OK);
  output.release(&output);
  EXPECT_EQ(tree.releases(), 1);
  EXPECT_EQ(other.releases(), 1);
}

}  // namespace
