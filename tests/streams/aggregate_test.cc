// SPDX-License-Identifier: MIT
//
// The aggregates behind the engine: where the memory of results is, and what happens with
// inputs whose rows the gate did not check.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/support.h"

namespace {

using alloy::Batch;
using alloy::MakeArray;
using alloy::MakeBatch;
using alloy::OptionMap;
using alloy::Stream;

class AggregateTest : public testing::Test {
 protected:
  // All batches of the result, or none and the status of the failure.
  std::vector<Batch> Drain(const char* function, std::vector<Batch> batches,
                           const OptionMap& options) {
    std::vector<Batch> results;
    auto stream = bridge_.Stream(function, Stream::Of(std::move(batches)), options);
    for (status_ = stream.status(); status_.ok();) {
      auto next = stream->Next();
      status_ = next.status();
      if (!status_.ok() || !next->has_value()) break;
      results.push_back(std::move(**next));
    }
    return results;
  }
  std::string Texts(const char* function, std::vector<Batch> batches,
                    const OptionMap& options) {
    std::ostringstream text;
    for (const Batch& batch : Drain(function, std::move(batches), options)) text << batch;
    if (!status_.ok()) text << status_.text();
    return text.str();
  }

  alloy::Bridge bridge_ = support::Load("aggregate_rust");
  alloy::Status status_;
};

std::vector<Batch> One(alloy::Result<Batch> batch) {
  std::vector<Batch> batches;
  batches.push_back(std::move(*batch));
  return batches;
}

const ArrowArray& ColumnOf(const Batch& batch, int64_t index) {
  return *batch.array().children[index];
}

// Where the values of a column begin, which are int64.
const int64_t* ValuesOf(const Batch& batch, int64_t index) {
  const ArrowArray& column = ColumnOf(batch, index);
  return static_cast<const int64_t*>(column.buffers[1]) + column.offset;
}

// One column, k: a dictionary of a, b and c with these indices.
struct Dictionary : alloy::testing::Tree {
  explicit Dictionary(const std::array<int8_t, 3>& of)
      : Tree(alloy::testing::BatchOf(
                 {{.format = "c", .name = "k", .dictionary = {{.format = "u"}}}}),
             alloy::testing::RawRows(
                 3, {{.length = 3,
                      .buffers = {nullptr, nullptr},
                      .dictionary = {{.length = 3,
                                      .buffers = {nullptr, kOffsets, "abc"}}}}})),
        indices(of) {
    SetBuffer(0, 1, indices.data());
  }

  static constexpr int32_t kOffsets[] = {0, 1, 2, 3};
  const std::array<int8_t, 3> indices;
};

TEST_F(AggregateTest, TheMemoryOfAResultIsReadWhereTheFunctionLeftIt) {
  std::vector<std::optional<int64_t>> keys(100'000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  const auto groups = Drain("group_by", One(MakeBatch({{"k", MakeArray<int64_t>(keys)}})),
                            {{"keys", "k"}, {"aggregates", "count,max(k)"}});
  ASSERT_EQ(groups.size(), 2u) << status_;
  // Two batches of columns in memory: had either been copied, they would lie apart.
  const auto& [first, second] = std::tie(groups[0], groups[1]);
  for (int64_t column = 0; column < 3 && support::SharesMemory(); ++column) {
    EXPECT_EQ(ValuesOf(first, column) + first.rows(), ValuesOf(second, column));
  }
  EXPECT_EQ(*ValuesOf(second, 0), first.rows());
  EXPECT_EQ(*ValuesOf(second, 1), 1);
}

TEST_F(AggregateTest, APartOfAResultOutlivesTheOthersAndItsStream) {
  std::vector<std::optional<int64_t>> keys(70'000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  auto groups = Drain("group_by", One(MakeBatch({{"k", MakeArray<int64_t>(keys)}})),
                      {{"keys", "k"}});
  ASSERT_EQ(groups.size(), 2u) << status_;
  groups.erase(groups.begin());
  EXPECT_EQ(ValuesOf(groups[0], 0)[4'463], 69'999);
}

TEST_F(AggregateTest, WhatScaleLeavesAsItIsIsNotCopied) {
  const auto batch =
      MakeBatch({{"x", MakeArray<int64_t>({1, 2})}, {"y", MakeArray<int64_t>({3, 4})}});
  const auto scaled =
      Drain("scale", One(batch->Share()), {{"column", "x"}, {"factor", "-5"}});
  ASSERT_EQ(scaled.size(), 1u) << status_;
  EXPECT_EQ(ValuesOf(scaled[0], 1) == ValuesOf(*batch, 1), support::SharesMemory());
  EXPECT_EQ(ValuesOf(scaled[0], 1)[1], 4);
  EXPECT_EQ(ValuesOf(scaled[0], 0)[1], -10);
}

TEST_F(AggregateTest, ABatchOfWhichAllRowsPassIsNotCopied) {
  const auto batch = MakeBatch({{"x", MakeArray<int64_t>({1, 2})}});
  const auto passed =
      Drain("filter", One(batch->Share()), {{"column", "x"}, {"op", "is not null"}});
  ASSERT_EQ(passed.size(), 1u) << status_;
  EXPECT_EQ(ValuesOf(passed[0], 0) == ValuesOf(*batch, 0), support::SharesMemory());
  EXPECT_EQ(ValuesOf(passed[0], 0)[1], 2);
}

TEST_F(AggregateTest, ADictionaryIsSharedByTheRowsThatPass) {
  Dictionary dictionary({0, 2, 1});
  const Batch batch = *support::ImportTree(dictionary);
  const auto passed =
      Drain("filter", One(batch.Share()), {{"column", "k"}, {"op", ">"}, {"value", "a"}});
  ASSERT_EQ(passed.size(), 1u) << status_;
  const ArrowArray& column = ColumnOf(passed[0], 0);
  EXPECT_EQ(column.length, 2);
  EXPECT_EQ(static_cast<const int8_t*>(column.buffers[1])[0], 2);
  if (support::SharesMemory()) {
    EXPECT_EQ(column.dictionary->buffers[2], ColumnOf(batch, 0).dictionary->buffers[2]);
  }
}

TEST_F(AggregateTest, AnIndexOutsideItsDictionaryIsBadDataWithItsRow) {
  for (const int8_t index : {3, -1, -128}) {
    const std::string outside = "column 0 (k), row 1: the index is " +
                                std::to_string(index) +
                                ", but the dictionary has 3 values";
    Dictionary dictionary({0, index, 1});
    const Batch batch = *support::ImportTree(dictionary);
    const std::vector<std::pair<const char*, OptionMap>> calls = {
        {"group_by", {{"keys", "k"}}},
        {"group_by", {{"aggregates", "min(k)"}}},
        {"sort", {{"by", "k"}}},
        {"filter", {{"column", "k"}, {"value", "a"}}}};
    for (const auto& [function, options] : calls) {
      EXPECT_EQ(Texts(function, One(batch.Share()), options), outside) << function;
      EXPECT_EQ(status_.code(), ALLOY_BAD_DATA) << function;
    }
  }
}

}  // namespace
