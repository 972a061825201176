// SPDX-License-Identifier: MIT
//
// What Alloy promises of Arrow C++ arrays where another implementation once failed; the
// numbers are those of docs/boundary.md.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alloy/arrow.hpp"
#include "tests/support/arrow_peers.h"
#include "tests/support/support.h"

namespace {

using alloy::arrow::RecordBatchPtr;

// A batch of one column over buffers of the test. It outlives everything that is imported
// from it.
struct HandMade : alloy::testing::Tree {
  HandMade(int64_t length, std::vector<const void*> buffers)
      : Tree(alloy::testing::BatchOf({{.format = "l", .name = "c"}}),
             alloy::testing::RawRows(
                 length, {{.length = length, .buffers = std::move(buffers)}})) {}

  // Import it as a column of `type`, whatever its own schema is.
  RecordBatchPtr Import(const std::shared_ptr<arrow::DataType>& type) {
    ArrowArray batch;
    MoveArray(&batch);
    return alloy::arrow::Import(&batch, arrow::schema({arrow::field("c", type)}));
  }
};

RecordBatchPtr OneColumn(const std::shared_ptr<arrow::Array>& array) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("c", array->type())}),
                                  array->length(), {array});
}

template <typename Builder, typename... Values>
std::shared_ptr<arrow::Array> Build(Builder&& builder, const Values&... values) {
  EXPECT_TRUE((builder.Append(values).ok() && ...));
  return builder.Finish().ValueOrDie();
}

// arrow#41016.
TEST(ArrowBugsTest, AnUnknownNullCountIsCounted) {
  const int64_t values[] = {1, 2, 3};
  const uint8_t bitmap[] = {0b101};
  for (const bool has_bitmap : {false, true}) {
    HandMade made(3, {has_bitmap ? bitmap : nullptr, values});
    made.array(0).null_count = -1;
    const RecordBatchPtr batch = made.Import(arrow::int64());
    EXPECT_EQ(batch->column(0)->null_count(), has_bitmap ? 1 : 0);
    EXPECT_TRUE(batch->ValidateFull().ok());
  }
}

// nanoarrow#634.
TEST(ArrowBugsTest, ViewsNeedNoOtherBuffers) {
  alloy::Bridge bridge = support::Load("tests/identity");
  const auto batch = OneColumn(Build(arrow::StringViewBuilder(), "short", ""));
  const auto result = alloy::arrow::Call(bridge, "identity", {batch});
  EXPECT_TRUE(support::Same(result, *batch));
  EXPECT_EQ((*result)->column_data(0)->buffers.size(), 2U);
}

// arrow-java#704, arrow#14876.
TEST(ArrowBugsTest, OffsetsOfNoRowsAreNotFollowed) {
  const int32_t garbage[] = {1 << 30, -7};
  for (const void* offsets :
       {static_cast<const void*>(garbage), static_cast<const void*>(nullptr)}) {
    HandMade made(0, {nullptr, offsets, nullptr});
    const RecordBatchPtr batch = made.Import(arrow::utf8());
    EXPECT_TRUE(batch->ValidateFull().ok()) << batch->ValidateFull();
    EXPECT_EQ(batch->num_rows(), 0);
  }
}

// arrow#40898, arrow#41534.
TEST(ArrowBugsTest, ABatchWithoutBuffersIsReleased) {
  HandMade made(0, {nullptr, nullptr, nullptr});
  made.Import(arrow::binary()).reset();
  EXPECT_EQ(made.unreleased(), 0);
  EXPECT_TRUE(made.ReleasedAtMostOnce());
}

// arrow-rs#20, duckdb#9254, duckdb#1612.
TEST(ArrowBugsTest, AColumnOutlivesItsBatchAndGoesOnce) {
  const int64_t values[] = {1, 2, 3};
  HandMade made(3, {nullptr, values});
  RecordBatchPtr batch = made.Import(arrow::int64());
  std::shared_ptr<arrow::Array> column = batch->column(0)->Slice(1);
  batch.reset();
  EXPECT_EQ(made.unreleased(), 2);
  EXPECT_EQ(static_cast<const arrow::Int64Array&>(*column).Value(1), 3);
  column.reset();
  EXPECT_EQ(made.unreleased(), 0);
  EXPECT_TRUE(made.ReleasedAtMostOnce());
}

// arrow#35760, nanoarrow#203.
TEST(ArrowBugsTest, WhatIsReleasedSaysSo) {
  const auto batch = OneColumn(Build(arrow::Int64Builder(), 1, 2));
  ArrowArray array{};
  ASSERT_TRUE(alloy::arrow::Export(batch, &array).ok());
  ArrowArray* column = array.children[0];
  column->release(column);
  EXPECT_EQ(column->release, nullptr);
  array.release(&array);
  EXPECT_EQ(array.release, nullptr);
  EXPECT_EQ(batch.use_count(), 1);
}

// arrow-rs#20, duckdb#9254: the other way round.
TEST(ArrowBugsTest, AMovedChildOutlivesItsParent) {
  auto batch = OneColumn(Build(arrow::Int64Builder(), 1, 2, 3));
  const std::weak_ptr<arrow::RecordBatch> watch = batch;
  ArrowArray array{};
  ASSERT_TRUE(alloy::arrow::Export(batch, &array).ok());
  batch.reset();
  ArrowArray column = *array.children[0];
  array.children[0]->release = nullptr;
  array.release(&array);
  ASSERT_FALSE(watch.expired());
  EXPECT_EQ(static_cast<const int64_t*>(column.buffers[1])[2], 3);
  column.release(&column);
  EXPECT_TRUE(watch.expired());
}

// arrow#43267, nanoarrow#754, arrow-java#88: views of lists, intervals, booleans.
TEST(ArrowBugsTest, EveryBufferCountsItsOffset) {
  alloy::Bridge bridge = support::Load("tests/identity");
  auto items = std::make_shared<arrow::Int8Builder>();
  arrow::ListViewBuilder lists(arrow::default_memory_pool(), items);
  arrow::DayTimeIntervalBuilder intervals;
  arrow::BooleanBuilder flags;
  for (int i = 0; i < 20; ++i) {
    const int size = i % 4 != 0 ? i % 3 : 0;  // the builder wants no items in a null
    ASSERT_TRUE(lists.Append(/*is_valid=*/i % 4 != 0, size).ok());
    for (int k = 0; k < size; ++k)
      ASSERT_TRUE(items->Append(static_cast<int8_t>(i)).ok());
    ASSERT_TRUE(intervals.Append({i, -i}).ok());
    ASSERT_TRUE(flags.Append(i % 5 == 0).ok());
  }
  const auto fields = {arrow::field("l", lists.type()),
                       arrow::field("i", arrow::day_time_interval()),
                       arrow::field("f", arrow::boolean())};
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema(fields), 20,
      arrow::ArrayVector{*lists.Finish(), *intervals.Finish(), *flags.Finish()});
  for (int64_t offset = 0; offset < 20; ++offset) {
    const auto slice = batch->Slice(offset);
    EXPECT_TRUE(support::Same(alloy::arrow::Call(bridge, "identity", {slice}), *slice))
        << offset;
  }
}

// arrow-go#172, and lists of no size, which are as long as they say.
TEST(ArrowBugsTest, WhatHoldsNothingKeepsItsRows) {
  alloy::Bridge bridge = support::Load("tests/identity");
  const auto none = arrow::struct_(arrow::FieldVector{});
  const auto nothing = arrow::fixed_size_list(arrow::int8(), 0);
  const auto child = arrow::MakeEmptyArray(arrow::int8()).ValueOrDie();
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("s", none), arrow::field("f", nothing),
                     arrow::field("w", arrow::fixed_size_binary(0))}),
      5,
      {arrow::ArrayData::Make(none, 5, {nullptr}, 0),
       arrow::ArrayData::Make(nothing, 5, {nullptr}, {child->data()}, 0),
       arrow::ArrayData::Make(arrow::fixed_size_binary(0), 5, {nullptr, nullptr}, 0)});
  const auto result = alloy::arrow::Call(bridge, "identity", {batch->Slice(2, 2)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ((*result)->num_rows(), 2);
  for (const auto& column : (*result)->columns()) EXPECT_EQ(column->length(), 2);
}

// arrow#34983, arrow#44714.
TEST(ArrowBugsTest, AMapKeepsItsNullabilityItsOrderAndItsMetadata) {
  alloy::Bridge bridge = support::Load("tests/identity");
  const auto tag = arrow::key_value_metadata({"of"}, {"value"});
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const bool nullable : {false, true}) {
    for (const bool sorted : {false, true}) {
      const auto value =
          arrow::field("value", arrow::int8(), nullable)->WithMetadata(tag);
      fields.push_back(arrow::field("m", arrow::map(arrow::utf8(), value, sorted)));
    }
  }
  fields.push_back(arrow::field(
      "d", arrow::dictionary(arrow::int8(), arrow::utf8(), /*ordered=*/true)));
  const auto schema = arrow::schema(fields);
  const auto call = alloy::arrow::BoundCall::Bind(bridge, "identity", {schema});
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_TRUE(call->output_schema()->Equals(*schema, /*check_metadata=*/true))
      << call->output_schema()->ToString(true) << "\n"
      << schema->ToString(true);
}

}  // namespace
