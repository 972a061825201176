// SPDX-License-Identifier: MIT
#include "alloy/arrow.hpp"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/support.h"

namespace {

using alloy::arrow::RecordBatchPtr;

RecordBatchPtr Numbers(int columns, int64_t rows) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (int c = 0; c < columns; ++c) {
    arrow::Int64Builder builder;
    for (int64_t row = 0; row < rows; ++row) {
      EXPECT_TRUE(row % 5 == 4 ? builder.AppendNull().ok()
                               : builder.Append(row * c).ok());
    }
    fields.push_back(arrow::field("c" + std::to_string(c), arrow::int64()));
    arrays.push_back(*builder.Finish());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, arrays);
}

TEST(ArrowTest, ABatchComesBackOverTheSameMemory) {
  alloy::Bridge bridge = support::Load("tests/identity");
  const auto batch = Numbers(3, 100);
  const auto result = alloy::arrow::Call(bridge, "identity", {batch});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE((*result)->Equals(*batch));
  EXPECT_TRUE((*result)->ValidateFull().ok());
  for (int c = 0; c < 3; ++c) {
    EXPECT_EQ((*result)->column_data(c)->buffers[1]->data() ==
                  batch->column_data(c)->buffers[1]->data(),
              support::SharesMemory());
  }
}

TEST(ArrowTest, WhatIsLeftKeepsTheBatchAlive) {
  alloy::Bridge bridge = support::Load("tests/identity");
  auto batch = Numbers(2, 100);
  const std::weak_ptr<arrow::RecordBatch> watch = batch;
  auto result = alloy::arrow::Call(bridge, "identity", {batch});
  ASSERT_TRUE(result.ok()) << result.status();
  batch.reset();
  std::shared_ptr<arrow::Array> column = (*result)->column(1);
  result = alloy::Status();
  std::shared_ptr<arrow::Buffer> buffer = column->data()->buffers[1];
  column.reset();
  EXPECT_EQ(watch.expired(), !support::SharesMemory());
  std::thread([buffer = std::move(buffer)]() mutable { buffer.reset(); }).join();
  EXPECT_TRUE(watch.expired());
}

TEST(ArrowTest, ABoundCallRunsManyTimes) {
  alloy::Bridge bridge = support::Load("tests/identity");
  const auto first = Numbers(10, 1024);
  auto call = alloy::arrow::BoundCall::Bind(bridge, "identity", {first->schema()});
  ASSERT_TRUE(call.ok()) << call.status();
  for (const int64_t rows : {0, 1, 7, 1024}) {
    const auto batch = Numbers(10, rows);  // an equal schema, but another object
    const auto result = call->Run(batch);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE((*result)->Equals(*batch));
  }
}

TEST(ArrowTest, ABatchOfAnotherSchemaIsRefused) {
  alloy::Bridge bridge = support::Load("tests/identity");
  auto call =
      alloy::arrow::BoundCall::Bind(bridge, "identity", {Numbers(2, 1)->schema()});
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->Run(Numbers(3, 1)).status().code(), ALLOY_INVALID);
  EXPECT_EQ(call->Run(std::span<const RecordBatchPtr>()).status().code(), ALLOY_INVALID);
  EXPECT_TRUE(call->Run(Numbers(2, 1)).ok());
}

TEST(ArrowTest, SeveralBatchesGoInTogether) {
  alloy::Bridge bridge = support::NewBridge(alloy::Host());
  const auto count =
      alloy::arrow::Call(bridge, "from_chunks", {Numbers(1, 3), Numbers(1, 9)});
  ASSERT_TRUE(count.ok()) << count.status();
  const auto& column = static_cast<const arrow::Int64Array&>(*(*count)->column(0));
  EXPECT_EQ(column.Value(0), 2);
}

TEST(ArrowTest, AnErrorIsAStatus) {
  alloy::Bridge bridge = support::Load("tests/unruly");
  const auto batch = Numbers(1, 3);
  const auto failed = alloy::arrow::Call(bridge, "fails", {batch}, {{"text", "oh no"}});
  EXPECT_EQ(failed.status().code(), ALLOY_FAILED);
  EXPECT_NE(failed.status().text().find("oh no"), std::string_view::npos);
  EXPECT_EQ(alloy::arrow::Call(bridge, "absent", {batch}).status().code(),
            ALLOY_NOT_FOUND);
  EXPECT_EQ(batch.use_count(), 1);
}

TEST(ArrowTest, TextOfEveryKindReachesOneFunction) {
  alloy::Bridge bridge = support::Load("tests/typed");
  arrow::StringDictionaryBuilder dictionary;
  arrow::StringBuilder utf8;
  arrow::LargeStringBuilder large;
  arrow::StringViewBuilder view;
  const std::string text = "longer than twelve bytes";
  for (auto* builder : std::vector<arrow::ArrayBuilder*>{&utf8, &large, &view}) {
    ASSERT_TRUE(builder->AppendNull().ok());
  }
  ASSERT_TRUE(dictionary.AppendNull().ok());
  ASSERT_TRUE(utf8.Append(text).ok());
  ASSERT_TRUE(large.Append(text).ok());
  ASSERT_TRUE(view.Append(text).ok());
  ASSERT_TRUE(dictionary.Append(text).ok());
  for (const auto& array : std::vector<std::shared_ptr<arrow::Array>>{
           *utf8.Finish(), *large.Finish(), *view.Finish(), *dictionary.Finish()}) {
    const auto batch = arrow::RecordBatch::Make(
        arrow::schema({arrow::field("text", array->type())}), 2, {array});
    const auto result = alloy::arrow::Call(bridge, "length", {batch->Slice(0, 2)});
    ASSERT_TRUE(result.ok()) << array->type()->ToString() << ": " << result.status();
    const auto& length = static_cast<const arrow::Int64Array&>(*(*result)->column(0));
    EXPECT_EQ(length.Value(0), -1);
    EXPECT_EQ(length.Value(1), static_cast<int64_t>(text.size()));
    const auto sliced = alloy::arrow::Call(bridge, "length", {batch->Slice(1, 1)});
    ASSERT_TRUE(sliced.ok()) << sliced.status();
    EXPECT_EQ(static_cast<const arrow::Int64Array&>(*(*sliced)->column(0)).Value(0),
              static_cast<int64_t>(text.size()));
  }
}

TEST(ArrowTest, ANameWithANulIsRefused) {
  alloy::Bridge bridge = support::Load("tests/identity");
  const auto inner = arrow::field(std::string("a\0b", 3), arrow::int8());
  for (const auto& field :
       {inner, arrow::field("list", arrow::list(inner)),
        arrow::field("words",
                     arrow::dictionary(arrow::int8(), arrow::struct_({inner})))}) {
    auto call =
        alloy::arrow::BoundCall::Bind(bridge, "identity", {arrow::schema({field})});
    EXPECT_EQ(call.status().code(), ALLOY_INVALID);
    EXPECT_NE(call.status().text().find("NUL"), std::string_view::npos) << call.status();
  }
}

TEST(ArrowTest, ASchemaThatArrowCannotHoldIsUnsupported) {
  alloy::Bridge bridge = support::Load("tests/identity");
  const auto runs = arrow::run_end_encoded(arrow::int16(), arrow::int8());
  const auto schema =
      arrow::schema({arrow::field("runs", arrow::run_end_encoded(arrow::int16(), runs))});
  const auto call = alloy::arrow::BoundCall::Bind(bridge, "identity", {schema});
  EXPECT_EQ(call.status().code(), ALLOY_UNSUPPORTED);
  EXPECT_EQ(call.status().side(), ALLOY_SIDE_BACKEND);
  EXPECT_NE(call.status().text().find("cannot hold"), std::string_view::npos);
}

}  // namespace
