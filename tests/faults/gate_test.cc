// SPDX-License-Identifier: MIT
//
// Each fault of an Arrow struct, as what a host passes and as what a backend returns: an
// error with reason and place, everything released exactly once, and a bridge that serves
// the next call.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "alloy/alloy.hpp"
#include "tests/faults/cases.h"
#include "tests/support/support.h"

namespace {

using faults::ArrayCases;
using faults::Case;
using faults::SchemaCases;
using faults::Tree;

void ExpectError(const Case& fault, const alloy_error& error, int32_t input,
                 uint16_t side) {
  EXPECT_EQ(error.code, ALLOY_BAD_DATA) << error.text;
  if (fault.reason == faults::kAnyFormatReason) {
    EXPECT_TRUE(error.reason == ALLOY_REASON_FORMAT_UNKNOWN ||
                error.reason == ALLOY_REASON_FORMAT_PARAMETER)
        << error.text;
  } else {
    EXPECT_STREQ(alloy_reason_name(error.reason), alloy_reason_name(fault.reason))
        << error.text;
  }
  if (fault.column != faults::kAnyColumn) {
    EXPECT_EQ(error.column, fault.column);
  }
  EXPECT_EQ(error.input, input);
  EXPECT_EQ(error.side, side);
  EXPECT_GT(error.length, 0);
  EXPECT_EQ(std::string(error.text).size(), error.length);
}

// A tree without a fault goes through `call` and comes back.
void ExpectServes(alloy_call* call) {
  Tree tree;
  ArrowArray input;
  ArrowArray output;
  alloy_error error;
  tree.MoveArray(&input);
  ASSERT_EQ(alloy_call_run(call, &input, &output, 0, 0, &error), ALLOY_OK) << error.text;
  EXPECT_EQ(output.length, Tree::kRows);
  EXPECT_EQ(tree.releases(), 0);
  output.release(&output);
  EXPECT_EQ(tree.releases(), 1);
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
}

struct Totals {
  int64_t trees;
  int64_t arrays_released;
  int64_t schemas_released;
  bool twice;
};

Totals ReadLedger(alloy::Bridge& bridge) {
  const auto batch = bridge.Call("ledger", support::SmallBatch());
  return {support::Only<int64_t>(batch, "trees"),
          support::Only<int64_t>(batch, "arrays_released"),
          support::Only<int64_t>(batch, "schemas_released"),
          support::Only<bool>(batch, "twice")};
}

// What is found at level safe is found in results without being asked for.
alloy::Level ResultLevel(const Case& fault) {
  return fault.level > 2 ? alloy::Level::kFull : alloy::Level::kDefault;
}

class ArrayFault : public testing::TestWithParam<Case> {};
class SchemaFault : public testing::TestWithParam<Case> {};

TEST_P(ArrayFault, IsFoundInWhatTheHostPasses) {
  const Case& fault = GetParam();
  const alloy::Bridge bridge =
      support::Load("tests/identity", support::TestHost(),
                    {.check_inputs = static_cast<alloy::Level>(fault.level)});
  Tree tree;
  alloy_error error;
  const auto call = support::Bind(bridge, "identity", tree.schema(Tree::kRoot), &error);
  ASSERT_NE(call, nullptr) << error.text;
  fault.spoil(tree);
  ArrowArray input;
  tree.MoveArray(&input);
  ArrowArray output;
  const alloy_code code = alloy_call_run(call.get(), &input, &output, 0, 0, &error);
  if (fault.reason == ALLOY_REASON_NONE) {
    ASSERT_EQ(code, ALLOY_OK) << error.text;
    EXPECT_EQ(tree.releases(), 0);
    output.release(&output);
  } else {
    ASSERT_EQ(code, ALLOY_BAD_DATA);
    ExpectError(fault, error, /*input=*/0, ALLOY_SIDE_CALLER);
    EXPECT_EQ(output.release, nullptr);
  }
  EXPECT_EQ(tree.releases(), 1);
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
  EXPECT_EQ(input.release, nullptr);
  ExpectServes(call.get());
}

TEST_P(ArrayFault, IsNotLookedForAtALowerLevel) {
  const Case& fault = GetParam();
  for (uint32_t level = 1; level < fault.level; ++level) {
    const auto lower = static_cast<alloy::Level>(level);
    const alloy::Bridge bridge =
        support::Load("tests/identity", support::TestHost(),
                      {.check_inputs = lower, .check_results = lower});
    Tree tree;
    alloy_error error;
    const auto call = support::Bind(bridge, "identity", tree.schema(Tree::kRoot), &error);
    fault.spoil(tree);
    ArrowArray input;
    ArrowArray output;
    tree.MoveArray(&input);
    ASSERT_EQ(alloy_call_run(call.get(), &input, &output, 0, 0, &error), ALLOY_OK)
        << error.text;
    output.release(&output);
    EXPECT_EQ(tree.releases(), 1);
  }
}

TEST_P(ArrayFault, IsFoundInWhatTheBackendReturns) {
  const Case& fault = GetParam();
  alloy::Bridge bridge = support::Load("tests/lie", support::TestHost(),
                                       {.check_results = ResultLevel(fault)});
  const Totals before = ReadLedger(bridge);
  const auto batch = support::SmallBatch();
  auto result = bridge.Call("lie", batch, {{"fault", fault.name}});
  if (fault.reason == ALLOY_REASON_NONE) {
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(ReadLedger(bridge).arrays_released, before.arrays_released);
    result = alloy::Status();  // the only owner lets go
  } else {
    ASSERT_FALSE(result.ok());
    const alloy::Status status = result.status();
    EXPECT_EQ(status.code(), ALLOY_BAD_DATA) << status;
    EXPECT_STREQ(alloy_reason_name(status.reason()), alloy_reason_name(fault.reason))
        << status;
    EXPECT_EQ(status.column(), fault.column);
    EXPECT_EQ(status.input(), -1);
    EXPECT_EQ(status.side(), ALLOY_SIDE_BACKEND);
    EXPECT_NE(status.text().find("lie"), std::string_view::npos) << status;
  }
  const Totals after = ReadLedger(bridge);
  EXPECT_EQ(after.trees, before.trees + 1);
  EXPECT_EQ(after.arrays_released, before.arrays_released + 1);
  EXPECT_FALSE(after.twice);
  const auto next = bridge.Call("lie", batch);
  EXPECT_TRUE(next.ok()) << next.status();
}

TEST_P(SchemaFault, IsFoundInWhatTheHostBinds) {
  const Case& fault = GetParam();
  const alloy::Bridge bridge = support::Load("tests/identity");
  Tree tree;
  fault.spoil(tree);
  const int released = tree.schema_releases();
  alloy_error error;
  auto call = support::Bind(bridge, "identity", tree.schema(Tree::kRoot), &error);
  if (fault.reason == ALLOY_REASON_NONE) {
    EXPECT_NE(call, nullptr) << error.text;
  } else {
    ASSERT_EQ(call, nullptr);
    ExpectError(fault, error, /*input=*/0, ALLOY_SIDE_CALLER);
  }
  EXPECT_EQ(tree.schema_releases(), released);  // a schema is borrowed
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
  Tree good;
  call = support::Bind(bridge, "identity", good.schema(Tree::kRoot), &error);
  ASSERT_NE(call, nullptr) << error.text;
  ExpectServes(call.get());
}

TEST_P(SchemaFault, IsFoundInWhatTheBackendBinds) {
  const Case& fault = GetParam();
  alloy::Bridge bridge = support::Load("tests/lie");
  const Totals before = ReadLedger(bridge);
  const auto batch = support::SmallBatch();
  alloy_error error;
  const auto call = support::Bind(bridge, "lie_in_schema", batch.schema(), &error,
                                  {"fault", fault.name});
  if (fault.reason == ALLOY_REASON_NONE) {
    EXPECT_NE(call, nullptr) << error.text;
  } else {
    ASSERT_EQ(call, nullptr);
    ExpectError(fault, error, /*input=*/-1, ALLOY_SIDE_BACKEND);
    const Totals after = ReadLedger(bridge);
    EXPECT_EQ(after.schemas_released, before.schemas_released + 1);
    EXPECT_FALSE(after.twice);
  }
  const auto next = bridge.Call("lie", batch);
  EXPECT_TRUE(next.ok()) << next.status();
}

std::string NameOf(const testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Faults, ArrayFault, testing::ValuesIn(ArrayCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Faults, SchemaFault, testing::ValuesIn(SchemaCases()), NameOf);

// The helper that the two suites stand on.
TEST(TreeTest, CountsWhatIsReleasedTwice) {
  Tree tree;
  ArrowArray first = tree.array(Tree::kRoot);
  ArrowArray second = first;
  first.release(&first);
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
  second.release(&second);
  EXPECT_FALSE(tree.ReleasedAtMostOnce());
}

}  // namespace
