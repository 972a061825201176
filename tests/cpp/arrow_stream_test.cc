// SPDX-License-Identifier: MIT
//
// Readers, tables and chunks of Apache Arrow C++ through a bridge.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alloy/arrow.hpp"
#include "tests/support/support.h"

namespace {

using alloy::arrow::ReaderPtr;

std::shared_ptr<arrow::Schema> OneColumn() {
  return arrow::schema({arrow::field("x", arrow::int64())});
}

std::shared_ptr<arrow::RecordBatch> Numbers(const std::vector<int64_t>& values) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return arrow::RecordBatch::Make(OneColumn(), static_cast<int64_t>(values.size()),
                                  {*builder.Finish()});
}

// Fails at its second batch, with a detail of its own.
class FailingReader final : public arrow::RecordBatchReader {
 public:
  explicit FailingReader(arrow::Status status) : status_(std::move(status)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return OneColumn(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (reads_++ > 0) return status_;
    *batch = Numbers({1});
    return arrow::Status::OK();
  }

 private:
  arrow::Status status_;
  int reads_ = 0;
};

class OwnDetail final : public arrow::StatusDetail {
 public:
  const char* type_id() const override { return "test"; }
  std::string ToString() const override { return "a detail"; }
};

TEST(ArrowStreamTest, ReadersGoThroughOverTheSameMemory) {
  alloy::Bridge bridge = support::Load("tests/streams");
  const auto first = Numbers({1, 2}), second = Numbers({3});
  const ReaderPtr reader = *arrow::RecordBatchReader::Make({first, second});
  const auto results = alloy::arrow::Stream(bridge, "pass", reader);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_TRUE((*results)->schema()->Equals(*OneColumn()));
  for (const auto& sent : {first, second}) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ASSERT_TRUE((*results)->ReadNext(&batch).ok());
    ASSERT_NE(batch, nullptr);
    EXPECT_TRUE(batch->Equals(*sent));
    EXPECT_EQ(batch->column_data(0)->buffers[1]->address() ==
                  sent->column_data(0)->buffers[1]->address(),
              support::SharesMemory());
  }
  for (int i = 0; i < 2; ++i) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ASSERT_TRUE((*results)->ReadNext(&batch).ok());
    EXPECT_EQ(batch, nullptr);
  }
}

TEST(ArrowStreamTest, SeveralReadersAreSeveralInputs) {
  alloy::Bridge bridge = support::Load("tests/streams");
  const std::vector<ReaderPtr> readers = {
      *arrow::RecordBatchReader::Make({Numbers({1}), Numbers({2})}),
      *arrow::RecordBatchReader::Make({Numbers({10}), Numbers({20})})};
  const auto results = alloy::arrow::Stream(bridge, "zip", readers);
  ASSERT_TRUE(results.ok()) << results.status();
  const auto table = (*results)->ToTable();
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ((*table)->num_rows(), 2);
}

TEST(ArrowStreamTest, OneReaderIsNotTwoInputs) {
  alloy::Bridge bridge = support::Load("tests/streams");
  const ReaderPtr reader = *arrow::RecordBatchReader::Make({Numbers({1}), Numbers({2})});
  const ReaderPtr other = *arrow::RecordBatchReader::Make({Numbers({1}), Numbers({2})});
  const auto results =
      alloy::arrow::Stream(bridge, "zip", std::vector<ReaderPtr>{other, reader, reader});
  ASSERT_TRUE(results.status().IsInvalid()) << results.status();
  EXPECT_NE(results.status().message().find("input 2"), std::string::npos);
  // Nothing was read of it.
  EXPECT_EQ((*reader->ToTable())->num_rows(), 2);
}

TEST(ArrowStreamTest, ATableComesBackAsATable) {
  alloy::Bridge bridge = support::Load("tests/streams");
  const auto table = *arrow::Table::FromRecordBatches({Numbers({1, 2}), Numbers({3})});
  const auto same = alloy::arrow::Stream(bridge, "pass", table);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_TRUE((*same)->Equals(*table));
}

TEST(ArrowStreamTest, AReadersOwnErrorIsTheSameStatus) {
  alloy::Bridge bridge = support::Load("tests/streams");
  const auto detail = std::make_shared<OwnDetail>();
  const arrow::Status own(arrow::StatusCode::SerializationError, "bad page", detail);
  for (const char* function : {"pass", "double", "count"}) {
    SCOPED_TRACE(function);
    const auto results =
        alloy::arrow::Stream(bridge, function, std::make_shared<FailingReader>(own));
    ASSERT_TRUE(results.ok()) << results.status();
    EXPECT_FALSE((*results)->ToTable().ok());
    for (int i = 0; i < 2; ++i) {
      std::shared_ptr<arrow::RecordBatch> batch;
      const arrow::Status told = (*results)->ReadNext(&batch);
      EXPECT_EQ(told.code(), arrow::StatusCode::SerializationError);
      EXPECT_EQ(told.message(), "bad page");
      EXPECT_EQ(told.detail(), detail);
    }
  }
}

TEST(ArrowStreamTest, AnErrorOfAlloysIsAStatusWithTheWholeOfIt) {
  alloy::Bridge bridge = support::Load("tests/streams");
  const ReaderPtr reader = *arrow::RecordBatchReader::Make({Numbers({1})});
  const auto none = alloy::arrow::Stream(bridge, "no such function", reader);
  EXPECT_TRUE(none.status().IsKeyError()) << none.status();
  const auto throws =
      alloy::arrow::Stream(bridge, "then", std::vector<ReaderPtr>(), {{"what", "retry"}});
  ASSERT_TRUE(throws.ok()) << throws.status();
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_TRUE((*throws)->ReadNext(&batch).ok());
  const arrow::Status told = (*throws)->ReadNext(&batch);
  EXPECT_EQ(told.message(), "not now");
  const auto* whole = dynamic_cast<const alloy::arrow::Detail*>(told.detail().get());
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(whole->status().code(), ALLOY_RETRY);
  EXPECT_EQ(whole->status().side(), ALLOY_SIDE_BACKEND);
}

TEST(ArrowStreamTest, ArraysAndChunksAreCounted) {
  alloy::Bridge bridge = support::Load("");
  const auto a = Numbers({1, 2})->column(0), b = Numbers({3})->column(0);
  const auto counted = alloy::arrow::FromChunks(bridge, {a, b, a});
  ASSERT_TRUE(counted.ok()) << counted.status();
  EXPECT_EQ(*counted, 3);
  const auto chunks = alloy::arrow::FromChunks(
      bridge, std::make_shared<arrow::ChunkedArray>(arrow::ArrayVector{a, b}));
  ASSERT_TRUE(chunks.ok()) << chunks.status();
  EXPECT_EQ(*chunks, 2);
}

}  // namespace
