// SPDX-License-Identifier: MIT
#include "engine/stream/stream_of.h"

#include <gtest/gtest.h>

#include "engine/stream/stream.h"
#include "engine/test_backend.h"

namespace alloy::core {
namespace {

TEST(StreamOfTest, GivesTheBatchesAndThenTheEnd) {
  Releases releases;
  const OwnedSchema schema = Int64Schema({"a"});
  ArrowArray batches[] = {Int64Batch({{1}}, &releases), Int64Batch({{2, 3}}, &releases)};
  ArrowArrayStream out;
  ASSERT_TRUE(StreamOf(schema.get(), batches, 2, &out).ok());
  EXPECT_EQ(batches[0].release, nullptr);
  OwnedArrayStream stream(&out);
  for (const int64_t rows : {1, 2, 0, 0}) {
    ArrowArray batch;
    ASSERT_EQ(stream->get_next(stream.get(), &batch), 0);
    EXPECT_EQ(OwnedArray(&batch)->length, rows);
  }
  EXPECT_EQ(releases.count, 2);
  ASSERT_NE(FaultOf(*stream), nullptr);
  EXPECT_TRUE(FaultOf(*stream)->ok());
}

TEST(StreamOfTest, ReleasesWhatWasNotPulled) {
  Releases releases;
  const OwnedSchema schema = Int64Schema({"a"});
  ArrowArray batches[] = {Int64Batch({{1}}, &releases), Int64Batch({{2}}, &releases)};
  ArrowArrayStream out;
  ASSERT_TRUE(StreamOf(schema.get(), batches, 2, &out).ok());
  EXPECT_EQ(releases.count, 0);
  out.release(&out);
  EXPECT_EQ(releases.count, 2);
}

TEST(StreamOfTest, ABatchThatIsReleasedIsNoEnd) {
  Releases releases;
  const OwnedSchema schema = Int64Schema({"a"});
  ArrowArray batches[] = {Int64Batch({{1}}, &releases), ArrowArray{}};
  ArrowArrayStream out;
  const Status status = StreamOf(schema.get(), batches, 2, &out);
  EXPECT_EQ(status.reason(), ALLOY_REASON_ARRAY_RELEASED);
  EXPECT_EQ(status.fault().input, 1);
  EXPECT_EQ(status.fault().side, ALLOY_SIDE_CALLER);
  EXPECT_EQ(out.release, nullptr);
  EXPECT_EQ(releases.count, 1);
}

TEST(StreamOfTest, WrongArgumentsTakeTheBatchesAllTheSame) {
  Releases releases;
  const OwnedSchema schema = Int64Schema({"a"});
  ArrowSchema no_batch = *schema->children[0];
  ArrowArrayStream out;
  ArrowArray batch = Int64Batch({{1}}, &releases);
  EXPECT_EQ(StreamOf(nullptr, &batch, 1, &out).code(), ALLOY_INVALID);
  batch = Int64Batch({{1}}, &releases);
  EXPECT_EQ(StreamOf(schema.get(), &batch, 1, nullptr).code(), ALLOY_INVALID);
  batch = Int64Batch({{1}}, &releases);
  EXPECT_EQ(StreamOf(&no_batch, &batch, 1, &out).reason(), ALLOY_REASON_NOT_A_BATCH);
  EXPECT_EQ(releases.count, 3);
  EXPECT_EQ(StreamOf(schema.get(), nullptr, 1, &out).code(), ALLOY_INVALID);
  EXPECT_EQ(StreamOf(schema.get(), nullptr, -1, &out).code(), ALLOY_INVALID);
  ASSERT_TRUE(StreamOf(schema.get(), nullptr, 0, &out).ok());
  out.release(&out);
}

}  // namespace
}  // namespace alloy::core
