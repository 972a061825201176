// SPDX-License-Identifier: MIT
//
// Each case as the input of a host in C++ and in C: the error has the reason and the place,
// everything is released exactly once, and the next call works. go/bridge tests the host in
// Go, test_faults_c.py a host in Python.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "tests/faults/cases.h"
#include "tests/faults/hosts.h"

namespace {

using faults::Case;
using faults::Outcome;
using faults::Tree;

// A valid tree goes through the call and comes back.
void ExpectServes(faults::TestHost& host) {
  Tree tree;
  ArrowArray input;
  ArrowArray output;
  tree.MoveArray(&input);
  const Outcome told = host.Run(&input, &output);
  ASSERT_EQ(told.code, ALLOY_OK) << told.text;
  EXPECT_EQ(output.length, Tree::kRows);
  EXPECT_EQ(tree.releases(), support::ReleasesWhileHeld());
  output.release(&output);
  EXPECT_EQ(tree.releases(), 1);
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
}

// The language of the host, and the case.
using Parameter = std::tuple<const char*, Case>;

class FaultOfAHost : public testing::TestWithParam<Parameter> {
 protected:
  const Case& fault() const { return std::get<1>(GetParam()); }
  std::unique_ptr<faults::TestHost> Open(alloy::BridgeOptions options = {}) const {
    return faults::MakeHost(std::get<0>(GetParam()), "tests/identity", options);
  }
};
class ArrayFault : public FaultOfAHost {};
class SchemaFault : public FaultOfAHost {};

// Both functions return their input, and results of a worker are checked at level safe at
// least.
uint32_t AtLeastSafe(uint32_t level) {
  return support::IsIsolated() ? std::max(level, 2U) : level;
}

TEST_P(ArrayFault, IsFoundInWhatTheHostPasses) {
  const auto host = Open({.check_inputs = static_cast<alloy::Level>(fault().level)});
  Tree tree;
  const Outcome bound = host->Bind("identity", tree.schema(Tree::kRoot), {});
  ASSERT_EQ(bound.code, ALLOY_OK) << bound.text;
  fault().spoil(tree);
  ArrowArray input;
  ArrowArray output;
  tree.MoveArray(&input);
  const Outcome told = host->Run(&input, &output);
  if (fault().reason == ALLOY_REASON_NONE) {
    ASSERT_EQ(told.code, ALLOY_OK) << told.text;
    EXPECT_EQ(tree.releases(), support::ReleasesWhileHeld());
    output.release(&output);
  } else {
    ASSERT_EQ(told.code, ALLOY_BAD_DATA);
    faults::ExpectError(fault(), told, /*input=*/0, ALLOY_SIDE_CALLER);
    EXPECT_EQ(output.release, nullptr);
  }
  EXPECT_EQ(tree.releases(), 1);
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
  EXPECT_EQ(input.release, nullptr);
  ExpectServes(*host);
}

TEST_P(ArrayFault, IsLookedForFromItsLevelOn) {
  for (uint32_t level = 1; level <= 3; ++level) {
    SCOPED_TRACE(level);
    const auto checks = static_cast<alloy::Level>(level);
    const auto host = Open({.check_inputs = checks, .check_results = checks});
    Tree tree;
    ASSERT_EQ(host->Bind("identity", tree.schema(Tree::kRoot), {}).code, ALLOY_OK);
    fault().spoil(tree);
    ArrowArray input;
    ArrowArray output;
    tree.MoveArray(&input);
    const Outcome told = host->Run(&input, &output);
    const bool found =
        fault().reason != ALLOY_REASON_NONE && AtLeastSafe(level) >= fault().level;
    EXPECT_EQ(told.code, found ? ALLOY_BAD_DATA : ALLOY_OK) << told.text;
    if (found) faults::ExpectError(fault(), told, /*input=*/0, ALLOY_SIDE_CALLER);
    if (output.release != nullptr) output.release(&output);
    EXPECT_EQ(tree.releases(), 1);
    EXPECT_TRUE(tree.ReleasedAtMostOnce());
  }
}

TEST_P(ArrayFault, IsLookedForByDefaultIfTheFunctionTrustsValues) {
  for (const alloy::Level asked : {alloy::Level::kDefault, alloy::Level::kShape,
                                   alloy::Level::kSafe, alloy::Level::kUnsafeShape}) {
    SCOPED_TRACE(static_cast<uint32_t>(asked));
    const auto host =
        Open({.check_inputs = asked, .check_results = alloy::Level::kShape});
    Tree tree;
    ASSERT_EQ(host->Bind("trusting", tree.schema(Tree::kRoot), {}).code, ALLOY_OK);
    fault().spoil(tree);
    ArrowArray input;
    ArrowArray output;
    tree.MoveArray(&input);
    const Outcome told = host->Run(&input, &output);
    // A declaration is no value: only a level of the host checks it.
    const bool declared =
        fault().reason == ALLOY_REASON_NOT_NULLABLE && fault().column == Tree::kRequired;
    const uint32_t level = AtLeastSafe(asked == alloy::Level::kUnsafeShape ||
                                               (declared && asked != alloy::Level::kSafe)
                                           ? 1
                                       : declared ? 2
                                                  : 3);
    const bool found = fault().reason != ALLOY_REASON_NONE && fault().level <= level;
    EXPECT_EQ(told.code, found ? ALLOY_BAD_DATA : ALLOY_OK) << told.text;
    if (found) faults::ExpectError(fault(), told, /*input=*/0, ALLOY_SIDE_CALLER);
    if (output.release != nullptr) output.release(&output);
    EXPECT_EQ(tree.releases(), 1);
    EXPECT_TRUE(tree.ReleasedAtMostOnce());
  }
}

TEST_P(SchemaFault, IsFoundInWhatTheHostBinds) {
  const auto host = Open();
  Tree tree;
  fault().spoil(tree);
  const int released = tree.schema_releases();
  const Outcome told = host->Bind("identity", tree.schema(Tree::kRoot), {});
  if (fault().reason == ALLOY_REASON_NONE) {
    EXPECT_EQ(told.code, ALLOY_OK) << told.text;
  } else {
    faults::ExpectError(fault(), told, /*input=*/0, ALLOY_SIDE_CALLER);
  }
  EXPECT_EQ(tree.schema_releases(), released);  // bind borrows the schema
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
  Tree good;
  ASSERT_EQ(host->Bind("identity", good.schema(Tree::kRoot), {}).code, ALLOY_OK);
  ExpectServes(*host);
}

std::string NameOf(const testing::TestParamInfo<Parameter>& info) {
  return std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param).name;
}

constexpr const char* kLanguages[] = {"Cpp", "C"};

INSTANTIATE_TEST_SUITE_P(Faults, ArrayFault,
                         testing::Combine(testing::ValuesIn(kLanguages),
                                          testing::ValuesIn(faults::ArrayCases())),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Faults, SchemaFault,
                         testing::Combine(testing::ValuesIn(kLanguages),
                                          testing::ValuesIn(faults::SchemaCases())),
                         NameOf);

// The suites rely on this.
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
