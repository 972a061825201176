// SPDX-License-Identifier: MIT
#include "arrow/project.h"

#include <gtest/gtest.h>

#include <thread>

#include "alloy/testing/raw.hpp"
#include "arrow/layout.h"
#include "arrow/schema.h"
#include "arrow/type_name.h"

namespace alloy::core {
namespace {

using testing::BatchOf;
using testing::Make;
using testing::RawArray;
using testing::RawFixed;
using testing::RawRows;
using testing::ReleaseCount;
using testing::Spec;

const Projection kLastFirst{.columns = {2, 0}, .identity = false};
const Spec kThree = BatchOf({{.format = "i", .name = "a"},
                             {.format = "u", .name = "b"},
                             {.format = "l", .name = "c"}});

RawArray ThreeColumns() {
  return RawRows(2,
                 {RawFixed(2),
                  {.length = 2, .buffers = {nullptr, testing::Zeros(), testing::Zeros()}},
                  RawFixed(2)});
}

TEST(ProjectTest, GivesTheColumnsOfASchemaInTheirOrder) {
  OwnedSchema schema = Make(kThree);
  const auto projected = ProjectSchema(*schema, kLastFirst);
  ASSERT_TRUE(projected.ok());
  EXPECT_EQ(TypeName(**projected), "Struct(c: Int64, a: Int32)");
  schema.Release();
  EXPECT_STREQ((*projected)->children[1]->name, "a");
  EXPECT_TRUE(Layout::OfBatch(**projected).ok());
}

TEST(ProjectTest, GivesNoColumns) {
  ReleaseCount released = 0;
  OwnedSchema schema = Make(kThree);
  const Projection none{.columns = {}, .identity = false};
  EXPECT_EQ(TypeName(**ProjectSchema(*schema, none)), "Struct()");
  OwnedArray batch = Make(ThreeColumns(), &released);
  ASSERT_TRUE(ProjectBatch(none, batch.get()).ok());
  EXPECT_EQ(batch->n_children, 0);
  EXPECT_EQ(batch->length, 2);
  batch.Release();
  EXPECT_EQ(released, 4);
}

TEST(ProjectTest, CopiesTheWholeSchemaForAnIdentity) {
  OwnedSchema schema = Make(kThree);
  const auto copy = ProjectSchema(*schema, Projection());
  ASSERT_TRUE(copy.ok());
  EXPECT_EQ(TypeName(**copy), TypeName(*schema));
}

TEST(ProjectTest, KeepsTheBatchUnchangedForAnIdentity) {
  OwnedArray batch = Make(ThreeColumns());
  ArrowArray** children = batch->children;
  ASSERT_TRUE(ProjectBatch(Projection(), batch.get()).ok());
  EXPECT_EQ(batch->children, children);
}

TEST(ProjectTest, PassesTheVeryColumnsOfTheBatch) {
  ReleaseCount released = 0;
  OwnedArray batch = Make(ThreeColumns(), &released);
  ArrowArray* const first = batch->children[0];
  ArrowArray* const last = batch->children[2];
  ASSERT_TRUE(ProjectBatch(kLastFirst, batch.get()).ok());
  ASSERT_EQ(batch->n_children, 2);
  EXPECT_EQ(batch->children[0], last);
  EXPECT_EQ(batch->children[1], first);
  EXPECT_EQ(released, 0);
  batch.Release();
  EXPECT_EQ(released, 4);
}

TEST(ProjectTest, LetsColumnsBeMovedOutAndOutliveTheBatch) {
  ReleaseCount released = 0;
  OwnedArray batch = Make(ThreeColumns(), &released);
  ASSERT_TRUE(ProjectBatch(kLastFirst, batch.get()).ok());
  OwnedArray column(batch->children[0]);
  std::thread([moved = std::move(batch)]() mutable { moved.Release(); }).join();
  EXPECT_EQ(released, 3);
  EXPECT_EQ(static_cast<const int64_t*>(column->buffers[1])[1], 0);
  column.Release();
  EXPECT_EQ(released, 4);
}

TEST(ProjectTest, RefusesColumnsThatAreNotThere) {
  ReleaseCount released = 0;
  const Projection beyond{.columns = {3}, .identity = false};
  const Projection before{.columns = {-1}, .identity = false};
  OwnedArray batch = Make(ThreeColumns(), &released);
  for (const Projection& projection : {beyond, before}) {
    EXPECT_EQ(ProjectBatch(projection, batch.get()).code(), ALLOY_INVALID);
    EXPECT_EQ(ProjectSchema(*Make(kThree), projection).status().code(), ALLOY_INVALID);
  }
  EXPECT_TRUE(batch);
  EXPECT_EQ(released, 0);
}

}  // namespace
}  // namespace alloy::core
