// SPDX-License-Identifier: MIT
//
// The MemoryPool of a bridge: what builders, readers and compute functions of Arrow C++ write
// lies in memory that a worker reads in place.
#include "alloy/arrow_pool.hpp"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>

#include "alloy/arrow.hpp"
#include "tests/isolated/page_of.h"
#include "tests/support/support.h"

namespace {

using alloy::arrow::RecordBatchPtr;
using isolated::Find;
using isolated::PageOf;

class ArrowPoolTest : public testing::Test {
 protected:
  // The numbers 1 to `rows`.
  template <typename Builder>
  static std::shared_ptr<arrow::Array> Numbers(int64_t rows, arrow::MemoryPool* pool) {
    Builder builder(pool);
    EXPECT_TRUE(builder.Reserve(rows).ok());
    for (int64_t row = 0; row < rows; ++row) {
      builder.UnsafeAppend(static_cast<typename Builder::value_type>(row + 1));
    }
    return builder.Finish().ValueOrDie();
  }
  static RecordBatchPtr BatchOf(const std::shared_ptr<arrow::Array>& x) {
    return arrow::RecordBatch::Make(arrow::schema({arrow::field("x", arrow::int64())}),
                                    x->length(), {x});
  }

  // The worker reads the values of `batch` where this process has them.
  void ExpectSamePages(const RecordBatchPtr& batch) {
    const auto& x = static_cast<const arrow::Int64Array&>(*batch->column(0));
    const PageOf here = Find(x.raw_values());
    EXPECT_NE(here.inode, 0) << "not in shared memory";
    const auto result = alloy::arrow::Call(bridge_, "pages", {batch});
    ASSERT_TRUE(result.ok()) << result.status();
    const auto value = [&](int column) {
      return static_cast<const arrow::Int64Array&>(*(*result)->column(column)).Value(0);
    };
    EXPECT_EQ((PageOf{value(0), value(1)}), here);
    int64_t sum = 0;
    for (int64_t row = 0; row < x.length(); ++row) sum += x.Value(row);
    EXPECT_EQ(value(2), sum);
  }

  alloy::Bridge bridge_ = support::Load("tests/pages", support::TestHost(),
                                        {.isolated = alloy::Isolation::kWorkers});
  std::shared_ptr<alloy::arrow::Pool> pool_ = alloy::arrow::Pool::Make(bridge_);
};

TEST_F(ArrowPoolTest, AllocatesReallocatesAndFreesSharedMemory) {
  uint8_t* memory = nullptr;
  ASSERT_TRUE(pool_->Allocate(100, &memory).ok());
  EXPECT_NE(Find(memory).inode, 0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0U);
  EXPECT_EQ(pool_->bytes_allocated(), 100);
  std::memset(memory, 7, 100);
  ASSERT_TRUE(pool_->Reallocate(100, 5'000'000, &memory).ok());
  EXPECT_NE(Find(memory).inode, 0);
  EXPECT_EQ(memory[99], 7);
  EXPECT_EQ(pool_->bytes_allocated(), 5'000'000);
  ASSERT_TRUE(pool_->Reallocate(5'000'000, 10, &memory).ok());
  EXPECT_EQ(memory[9], 7);
  EXPECT_EQ(pool_->bytes_allocated(), 10);
  EXPECT_EQ(pool_->max_memory(), 5'000'000);
  pool_->Free(memory, 10);
  EXPECT_EQ(pool_->bytes_allocated(), 0);
}

TEST_F(ArrowPoolTest, GivesAPlaceForNoBytesAsEveryPoolOfArrow) {
  uint8_t* memory = nullptr;
  ASSERT_TRUE(pool_->Allocate(0, &memory).ok());
  EXPECT_NE(memory, nullptr);
  ASSERT_TRUE(pool_->Reallocate(0, 64, &memory).ok());
  EXPECT_NE(Find(memory).inode, 0);
  ASSERT_TRUE(pool_->Reallocate(64, 0, &memory).ok());
  EXPECT_EQ(pool_->bytes_allocated(), 0);
  pool_->Free(memory, 0);
  EXPECT_EQ(pool_->bytes_allocated(), 0);
}

TEST_F(ArrowPoolTest, RefusesWhatItCannotGive) {
  uint8_t* memory = nullptr;
  EXPECT_TRUE(pool_->Allocate(64, 128, &memory).IsInvalid());
  EXPECT_TRUE(
      pool_->Allocate(std::numeric_limits<int64_t>::max(), &memory).IsOutOfMemory());
  EXPECT_TRUE(pool_->Allocate(-1, &memory).IsOutOfMemory());
  EXPECT_EQ(pool_->bytes_allocated(), 0);
  ASSERT_TRUE(pool_->Allocate(64, &memory).ok());
  std::memset(memory, 5, 64);
  EXPECT_FALSE(pool_->Reallocate(64, std::numeric_limits<int64_t>::max(), &memory).ok());
  EXPECT_EQ(memory[63], 5) << "what was there stays";
  pool_->Free(memory, 64);
}

TEST_F(ArrowPoolTest, WhatABuilderMakesIsTheSamePagesInTheWorker) {
  for (const int64_t rows : {1, 1000, 1 << 20}) {
    ExpectSamePages(BatchOf(Numbers<arrow::Int64Builder>(rows, pool_.get())));
  }
  EXPECT_EQ(pool_->bytes_allocated(), 0) << "a call keeps nothing";
}

TEST_F(ArrowPoolTest, ASliceIsTheSamePagesInTheWorker) {
  const RecordBatchPtr batch = BatchOf(Numbers<arrow::Int64Builder>(5000, pool_.get()));
  ExpectSamePages(batch->Slice(100, 50));
  ExpectSamePages(batch->Slice(4999));
  ExpectSamePages(batch);
}

TEST_F(ArrowPoolTest, WhatComputeFunctionsMakeIsTheSamePagesInTheWorker) {
  arrow::compute::ExecContext context(pool_.get());
  const auto small = Numbers<arrow::Int32Builder>(5000, arrow::default_memory_pool());
  const auto cast = arrow::compute::Cast(*small, arrow::int64(),
                                         arrow::compute::CastOptions::Safe(), &context);
  ASSERT_TRUE(cast.ok()) << cast.status();
  ExpectSamePages(BatchOf(*cast));
  const auto indices = Numbers<arrow::Int64Builder>(100, arrow::default_memory_pool());
  const auto taken = arrow::compute::Take(
      **cast, *indices, arrow::compute::TakeOptions::Defaults(), &context);
  ASSERT_TRUE(taken.ok()) << taken.status();
  ExpectSamePages(BatchOf(*taken));
}

TEST_F(ArrowPoolTest, WhatAReaderOfIpcReadsIsTheSamePagesInTheWorker) {
  const std::string path =
      std::filesystem::path(testing::TempDir()) / "alloy_arrow_pool_test.arrow";
  const RecordBatchPtr written =
      BatchOf(Numbers<arrow::Int64Builder>(5000, arrow::default_memory_pool()));
  {
    auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    auto writer = arrow::ipc::MakeFileWriter(file, written->schema()).ValueOrDie();
    ASSERT_TRUE(writer->WriteRecordBatch(*written).ok());
    ASSERT_TRUE(writer->WriteRecordBatch(*written->Slice(17, 100)).ok());
    ASSERT_TRUE(writer->Close().ok() && file->Close().ok());
  }
  arrow::ipc::IpcReadOptions options;
  options.memory_pool = pool_.get();
  const auto file = arrow::io::ReadableFile::Open(path, pool_.get()).ValueOrDie();
  const auto reader = arrow::ipc::RecordBatchFileReader::Open(file, options).ValueOrDie();
  ASSERT_EQ(reader->num_record_batches(), 2);
  for (int i = 0; i < 2; ++i) {
    const auto batch = reader->ReadRecordBatch(i);
    ASSERT_TRUE(batch.ok()) << batch.status();
    ExpectSamePages(*batch);
  }
  std::filesystem::remove(path);
}

// Threads of Arrow drop buffers of a read that has ended, at any time.
TEST_F(ArrowPoolTest, BuffersMayOutliveThePoolAndTheBridge) {
  std::shared_ptr<arrow::Buffer> some =
      arrow::AllocateResizableBuffer(5000, pool_.get()).ValueOrDie();
  std::shared_ptr<arrow::Buffer> none =
      arrow::AllocateResizableBuffer(0, pool_.get()).ValueOrDie();
  const std::shared_ptr<arrow::Array> numbers =
      Numbers<arrow::Int64Builder>(1000, pool_.get());
  pool_.reset();
  bridge_ = alloy::Bridge();
  std::memset(some->mutable_data(), 7, 5000);
  EXPECT_EQ(some->data()[4999], 7);
  some.reset();
  none.reset();
  EXPECT_EQ(static_cast<const arrow::Int64Array&>(*numbers).Value(999), 1000);
}

// The default pool of Arrow is copied once, which the tests above would not see.
TEST_F(ArrowPoolTest, OtherMemoryIsCopied) {
  const auto numbers = Numbers<arrow::Int64Builder>(1000, arrow::default_memory_pool());
  const auto& x = static_cast<const arrow::Int64Array&>(*numbers);
  EXPECT_EQ(Find(x.raw_values()).inode, 0);
  const auto result = alloy::arrow::Call(bridge_, "pages", {BatchOf(numbers)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_NE(static_cast<const arrow::Int64Array&>(*(*result)->column(0)).Value(0), 0);
}

}  // namespace
