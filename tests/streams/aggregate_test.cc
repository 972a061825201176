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
Batch Dictionary(const std::array<int8_t, 3>& indices) {
  struct Held {
    std::array<int8_t, 3> indices;
    ArrowSchema fields[2]{};
    ArrowArray columns[2]{};
    ArrowSchema* field = &fields[0];
    ArrowArray* column = &columns[0];
    const void* index_buffers[2] = {nullptr, indices.data()};
    int32_t offsets[4] = {0, 1, 2, 3};
    const void* text_buffers[3] = {nullptr, offsets, "abc"};
    const void* no_buffers[1] = {nullptr};
    ArrowSchema schema{};
    ArrowArray array{};
  };
  auto held = std::make_shared<Held>();
  held->indices = indices;
  held->fields[0].format = "c";
  held->fields[0].name = "k";
  held->fields[0].flags = ARROW_FLAG_NULLABLE;
  held->fields[0].dictionary = &held->fields[1];
  held->fields[1].format = "u";
  held->columns[0].length = held->columns[1].length = held->array.length = 3;
  held->columns[0].n_buffers = 2;
  held->columns[0].buffers = held->index_buffers;
  held->columns[0].dictionary = &held->columns[1];
  held->columns[1].n_buffers = 3;
  held->columns[1].buffers = held->text_buffers;
  held->schema.format = "+s";
  held->schema.n_children = held->array.n_children = held->array.n_buffers = 1;
  held->schema.children = &held->field;
  held->array.children = &held->column;
  held->array.buffers = held->no_buffers;
  const Held& raw = *held;
  ArrowArray array;
  alloy::detail::ShareArray(raw.array, held, /*as_batch=*/false).MoveTo(&array);
  ArrowSchema schema;
  alloy::Schema::Copy(raw.schema).MoveTo(&schema);
  auto batch = Batch::Import(&schema, &array);
  EXPECT_TRUE(batch.ok()) << batch.status();
  return std::move(*batch);
}

TEST_F(AggregateTest, TheMemoryOfAResultIsReadWhereTheFunctionLeftIt) {
  std::vector<std::optional<int64_t>> keys(100'000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  const auto groups = Drain("group_by", One(MakeBatch({{"k", MakeArray<int64_t>(keys)}})),
                            {{"keys", "k"}, {"aggregates", "count,max(k)"}});
  ASSERT_EQ(groups.size(), 2u) << status_;
  // Two batches of columns in memory: had either been copied, they would lie apart.
  const auto& [first, second] = std::tie(groups[0], groups[1]);
  for (int64_t column = 0; column < 3; ++column) {
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
  EXPECT_EQ(ValuesOf(scaled[0], 1), ValuesOf(*batch, 1));
  EXPECT_EQ(ValuesOf(scaled[0], 0)[1], -10);
}

TEST_F(AggregateTest, ABatchOfWhichAllRowsPassIsNotCopied) {
  const auto batch = MakeBatch({{"x", MakeArray<int64_t>({1, 2})}});
  const auto passed =
      Drain("filter", One(batch->Share()), {{"column", "x"}, {"op", "is not null"}});
  ASSERT_EQ(passed.size(), 1u) << status_;
  EXPECT_EQ(ValuesOf(passed[0], 0), ValuesOf(*batch, 0));
}

TEST_F(AggregateTest, ADictionaryIsSharedByTheRowsThatPass) {
  const Batch batch = Dictionary({0, 2, 1});
  const auto passed =
      Drain("filter", One(batch.Share()), {{"column", "k"}, {"op", ">"}, {"value", "a"}});
  ASSERT_EQ(passed.size(), 1u) << status_;
  const ArrowArray& column = ColumnOf(passed[0], 0);
  EXPECT_EQ(column.length, 2);
  EXPECT_EQ(static_cast<const int8_t*>(column.buffers[1])[0], 2);
  EXPECT_EQ(column.dictionary->buffers[2], ColumnOf(batch, 0).dictionary->buffers[2]);
}

TEST_F(AggregateTest, AnIndexOutsideItsDictionaryIsAnError) {
  for (const int8_t index : {3, -1, -128}) {
    const Batch batch = Dictionary({0, index, 1});
    const std::vector<std::pair<const char*, OptionMap>> calls = {
        {"group_by", {{"keys", "k"}}},
        {"group_by", {{"aggregates", "min(k)"}}},
        {"sort", {{"by", "k"}}},
        {"filter", {{"column", "k"}, {"value", "a"}}}};
    for (const auto& [function, options] : calls) {
      Drain(function, One(batch.Share()), options);
      EXPECT_FALSE(status_.ok()) << function;
    }
  }
}

}  // namespace
