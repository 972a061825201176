// SPDX-License-Identifier: MIT
//
// Data that is valid, or that the gate refuses, on the kernels of arrow-rs: compare, take,
// concat, sort, filter, cast and others. They follow what they find, also below null rows.
// So the engine must have checked or repaired it, whatever level the host asks for.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/faults/cases.h"
#include "tests/faults/hosts.h"

namespace {

using faults::Case;
using faults::Outcome;
using faults::Tree;

class KernelsTest : public testing::TestWithParam<Case> {};

Outcome RunKernels(faults::TestHost& host, Tree& tree) {
  ArrowArray input;
  ArrowArray output;
  tree.MoveArray(&input);
  Outcome told = host.Run(&input, &output);
  if (told.code == ALLOY_OK) {
    EXPECT_EQ(output.length, tree.schema(Tree::kRoot).n_children);
    output.release(&output);
  }
  return told;
}

TEST_P(KernelsTest, NeverReadWhatTheGateHasNotMadeSafe) {
  for (const auto asked : {alloy::Level::kDefault, alloy::Level::kShape}) {
    const auto host = faults::MakeHost("Cpp", "kernels_rust", {.check_inputs = asked});
    Tree tree;
    const Outcome bound = host->Bind("kernels", tree.schema(Tree::kRoot), {});
    ASSERT_EQ(bound.code, ALLOY_OK) << bound.text;
    GetParam().spoil(tree);
    const Outcome told = RunKernels(*host, tree);
    const bool refused =
        GetParam().reason != ALLOY_REASON_NONE && GetParam().column != Tree::kRequired;
    EXPECT_EQ(told.code, refused ? ALLOY_BAD_DATA : ALLOY_OK) << told.text;
    EXPECT_EQ(tree.releases(), 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, KernelsTest, testing::ValuesIn(faults::ArrayCases()),
                         [](const auto& one) { return std::string(one.param.name); });

// Whatever is below null rows, the kernels must work: it is valid Arrow.
TEST(KernelsOnNullsTest, AnythingMayBeBelowNulls) {
  const auto host = faults::MakeHost("Cpp", "kernels_rust");
  Tree valid;
  ASSERT_EQ(host->Bind("kernels", valid.schema(Tree::kRoot), {}).code, ALLOY_OK);
  std::mt19937 random(11);
  constexpr size_t kRows = Tree::kRows;
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    const auto nulls = static_cast<uint8_t>(random() % 16);
    const uint8_t bitmap[8] = {static_cast<uint8_t>(~nulls), 0xFF};
    const auto is_null = [nulls](size_t row) { return (nulls >> row & 1) != 0; };
    std::vector<int32_t> views(Tree::kViews, Tree::kViews + 4 * kRows);
    std::vector<int8_t> indices(Tree::kIndices, Tree::kIndices + kRows);
    std::string text(Tree::kBytes, 64);
    for (size_t row = 0; row < kRows; ++row) {
      if (!is_null(row)) continue;
      for (size_t i = 0; i < 4; ++i) views[4 * row + i] = static_cast<int32_t>(random());
      indices[row] = static_cast<int8_t>(random());
      for (auto at = Tree::kOffsets[row]; at < Tree::kOffsets[row + 1]; ++at) {
        text[static_cast<size_t>(at)] = static_cast<char>(random());
      }
    }
    Tree tree;
    for (const auto column :
         {Tree::kView, Tree::kDictionary, Tree::kUtf8, Tree::kLargeUtf8,
          Tree::kDictionaryValues, Tree::kList, Tree::kStruct, Tree::kInt32}) {
      tree.array(column).null_count = -1;
      tree.SetBuffer(column, 0, bitmap);
    }
    tree.SetBuffer(Tree::kView, 1, views.data());
    tree.SetBuffer(Tree::kDictionary, 1, indices.data());
    tree.SetBuffer(Tree::kUtf8, 2, text.data());
    tree.SetBuffer(Tree::kLargeUtf8, 2, text.data());
    tree.SetBuffer(Tree::kDictionaryValues, 2, text.data());
    const Outcome told = RunKernels(*host, tree);
    ASSERT_EQ(told.code, ALLOY_OK) << told.text;
  }
}

}  // namespace
