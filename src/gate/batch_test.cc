// SPDX-License-Identifier: MIT
#include "gate/batch.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "alloy/testing/raw.hpp"
#include "arrow/project.h"
#include "gate/describe.h"

namespace alloy::core {
namespace {

using testing::BatchOf;
using testing::EveryRawColumn;
using testing::Make;
using testing::RawArray;
using testing::RawColumn;
using testing::RawFixed;
using testing::RawRows;
using testing::ReleaseCount;
using testing::Spec;
using testing::Zeros;

const Spec kInt{.format = "i", .name = "a"};
const int32_t kNumbers[] = {10, 11, 12, 13, 14};

Layout LayoutOf(const Spec& schema) {
  auto layout = Layout::OfBatch(*Make(schema));
  EXPECT_TRUE(layout.ok());
  return *std::move(layout);
}

RawArray Numbers(int64_t length) {
  return {.length = length, .buffers = {nullptr, kNumbers}};
}

TEST(BatchTest, KeepsABatchThatFitsUnchanged) {
  for (const RawColumn& kind : EveryRawColumn()) {
    SCOPED_TRACE(kind.spec.name);
    OwnedArray batch = Make(RawRows(kind.array.length, {kind.array}));
    ArrowArray before;
    std::memcpy(&before, batch.get(), sizeof(before));
    ASSERT_TRUE(
        AdmitBatch(LayoutOf(BatchOf({kind.spec})), Level::kShape, batch.get()).ok());
    EXPECT_EQ(std::memcmp(&before, batch.get(), sizeof(before)), 0);
  }
}

TEST(BatchTest, KeepsABatchThatFailsWithItsOwner) {
  ReleaseCount released = 0;
  {
    OwnedArray batch = Make(RawRows(4, {RawFixed(3)}), &released);
    const Status status =
        AdmitBatch(LayoutOf(BatchOf({kInt})), Level::kShape, batch.get());
    EXPECT_EQ(status.reason(), ALLOY_REASON_CHILD_LENGTH);
    EXPECT_EQ(released, 0);
    EXPECT_TRUE(batch);
  }
  EXPECT_EQ(released, 2);
}

TEST(BatchTest, MovesTheOffsetOfTheBatchIntoItsColumns) {
  ReleaseCount released = 0;
  RawArray value = RawRows(2, {Numbers(5), Numbers(3)});
  value.offset = 1;
  value.children[0].offset = 0;
  OwnedArray batch = Make(value, &released);
  ASSERT_TRUE(
      AdmitBatch(LayoutOf(BatchOf({kInt, kInt})), Level::kShape, batch.get()).ok());
  EXPECT_EQ(batch->offset, 0);
  EXPECT_EQ(batch->length, 2);
  EXPECT_EQ(batch->n_buffers, 1);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(*Describe(*Make(kInt), *batch->children[i]), "Int32[11, 12]");
    EXPECT_EQ(batch->children[i]->buffers[1], kNumbers);  // nothing is copied
  }
  EXPECT_EQ(released, 0);
  batch.Release();
  EXPECT_EQ(released, 3);
}

TEST(BatchTest, CutsColumnsThatAreLongerThanTheBatch) {
  const unsigned char bitmap = 0b11110;
  RawArray longer = Numbers(5);
  longer.buffers[0] = &bitmap;
  longer.null_count = 1;
  OwnedArray batch = Make(RawRows(3, {longer}));
  ASSERT_TRUE(AdmitBatch(LayoutOf(BatchOf({kInt})), Level::kShape, batch.get()).ok());
  EXPECT_EQ(batch->children[0]->length, 3);
  EXPECT_EQ(batch->children[0]->null_count,
            -1);  // of the first 3 of 5 rows it is unknown
  EXPECT_EQ(*Describe(*Make(kInt), *batch->children[0]), "Int32[null, 11, 12]");
}

TEST(BatchTest, CutsEveryTypeByItsOffsetOnly) {
  for (const RawColumn& kind : EveryRawColumn()) {
    if (kind.array.length < 4) continue;
    SCOPED_TRACE(kind.spec.name);
    ReleaseCount released = 0;
    RawArray value = RawRows(2, {kind.array});
    value.offset = 1;
    OwnedArray batch = Make(value, &released);
    const Layout layout = LayoutOf(BatchOf({kind.spec}));
    ASSERT_TRUE(AdmitBatch(layout, Level::kShape, batch.get()).ok());
    EXPECT_EQ(batch->children[0]->offset, 1);
    EXPECT_EQ(batch->children[0]->length, 2);
    // A repaired batch needs no repair.
    ArrowArray before = *batch.get();
    ASSERT_TRUE(AdmitBatch(layout, Level::kShape, batch.get()).ok());
    EXPECT_EQ(std::memcmp(&before, batch.get(), sizeof(before)), 0);
    batch.Release();
    EXPECT_EQ(released, static_cast<int>(layout.nodes().size()));
  }
}

TEST(BatchTest, GivesEmptyArraysTheBuffersTheyLack) {
  for (const RawColumn& kind : EveryRawColumn()) {
    SCOPED_TRACE(kind.spec.name);
    const bool validity = !kind.spec.format.starts_with("+u");
    RawArray empty = kind.array;
    empty.length = empty.null_count = 0;
    empty.offset = empty.children.empty() ? 7 : 0;
    for (const void*& buffer : empty.buffers) buffer = nullptr;
    ReleaseCount released = 0;
    OwnedArray batch = Make(RawRows(0, {empty}), &released);
    const Layout layout = LayoutOf(BatchOf({kind.spec}));
    ASSERT_TRUE(AdmitBatch(layout, Level::kShape, batch.get()).ok());
    const ArrowArray& column = *batch->children[0];
    for (int64_t i = validity ? 1 : 0; i < column.n_buffers; ++i) {
      ASSERT_NE(column.buffers[i], nullptr);
      EXPECT_EQ(column.offset, 0);  // so a reader finds the first offset, a zero
      EXPECT_EQ(*static_cast<const int64_t*>(column.buffers[i]), 0);
    }
    batch.Release();
    EXPECT_EQ(released, static_cast<int>(layout.nodes().size()));
  }
}

TEST(BatchTest, GivesEmptyStringsAmongRowsTheirBytes) {
  OwnedArray batch =
      Make(RawRows(3, {{.length = 3, .buffers = {nullptr, Zeros(), nullptr}}}));
  ASSERT_TRUE(
      AdmitBatch(LayoutOf(BatchOf({{.format = "u"}})), Level::kShape, batch.get()).ok());
  EXPECT_NE(batch->children[0]->buffers[2], nullptr);
  EXPECT_EQ(*Describe(*Make(Spec{.format = "u"}), *batch->children[0]),
            "Utf8[\"\", \"\", \"\"]");
}

TEST(BatchTest, TakesTheOldBufferOfANullArrayAway) {
  OwnedArray batch =
      Make(RawRows(3, {{.length = 5, .buffers = {Zeros()}, .null_count = 5}}));
  ASSERT_TRUE(
      AdmitBatch(LayoutOf(BatchOf({{.format = "n"}})), Level::kShape, batch.get()).ok());
  EXPECT_EQ(batch->children[0]->n_buffers, 0);
  EXPECT_EQ(batch->children[0]->length, 3);
  EXPECT_EQ(batch->children[0]->null_count, 3);
}

// A middle offset becomes the last one: what it says must be true at every level.
TEST(BatchTest, RefusesToCutAColumnAtAnOffsetBeyondItsData) {
  const int32_t offsets[] = {0, 2, 1000, 3, 4};
  const RawArray text{.length = 4, .buffers = {nullptr, offsets, Zeros()}};
  const RawArray list{
      .length = 4, .buffers = {nullptr, offsets}, .children = {RawFixed(4)}};
  const Spec columns[] = {{.format = "u", .name = "a"},
                          {.format = "+l", .name = "a", .children = {kInt}}};
  for (const Spec& column : columns) {
    const Layout layout = LayoutOf(BatchOf({column}));
    for (const Level level : {Level::kShape, Level::kSafe, Level::kFull}) {
      OwnedArray batch = Make(RawRows(2, {column.format == "u" ? text : list}));
      const Status status = AdmitBatch(layout, level, batch.get());
      EXPECT_EQ(status.reason(), ALLOY_REASON_OFFSETS);
      EXPECT_EQ(status.fault().column, 0);
      EXPECT_EQ(batch->children[0]->length, 4);
    }
    // The offset of a batch cuts the front.
    OwnedArray batch = Make(RawRows(2, {column.format == "u" ? text : list}));
    batch->offset = 2;
    EXPECT_EQ(AdmitBatch(layout, Level::kShape, batch.get()).reason(),
              ALLOY_REASON_OFFSETS);
    batch->offset = 0;
    batch->length = 1;
    EXPECT_TRUE(AdmitBatch(layout, Level::kShape, batch.get()).ok());
  }
}

TEST(BatchTest, RepairsNestedArrays) {
  const Spec schema =
      BatchOf({kInt,
               {.format = "+s",
                .children = {{.format = "c", .dictionary = {{.format = "u"}}}, kInt}}});
  RawArray index = RawFixed(2);
  index.dictionary = {{.length = 0, .buffers = {nullptr, nullptr, nullptr}}};
  OwnedArray batch = Make(RawRows(2, {Numbers(2), RawRows(2, {index, Numbers(2)})}));
  ASSERT_TRUE(AdmitBatch(LayoutOf(schema), Level::kShape, batch.get()).ok());
  const ArrowArray& dictionary = *batch->children[1]->children[0]->dictionary;
  EXPECT_NE(dictionary.buffers[1], nullptr);
  EXPECT_NE(dictionary.buffers[2], nullptr);
  EXPECT_EQ(*Describe(*Make(kInt), *batch->children[1]->children[1]), "Int32[10, 11]");
}

TEST(BatchTest, RefusesNullsOfTheBatchItself) {
  const Layout layout = LayoutOf(BatchOf({kInt}));
  const unsigned char one_null[] = {0b11110111, 0xFF, 0xFF};
  const auto admit = [&](int64_t null_count, int64_t offset, const void* bitmap,
                         OwnedArray* out) {
    RawArray value = RawRows(2, {RawFixed(30)});
    value.length = 20;
    value.null_count = null_count;
    value.offset = offset;
    value.buffers[0] = bitmap;
    *out = Make(value);
    return AdmitBatch(layout, Level::kShape, out->get());
  };
  OwnedArray batch;
  EXPECT_EQ(admit(1, 0, one_null, &batch).reason(), ALLOY_REASON_BATCH_NULLS);
  EXPECT_EQ(admit(-1, 0, one_null, &batch).reason(), ALLOY_REASON_BATCH_NULLS);
  EXPECT_EQ(admit(-1, 3, one_null, &batch).reason(), ALLOY_REASON_BATCH_NULLS);
  ASSERT_TRUE(admit(-1, 4, one_null, &batch).ok());
  EXPECT_EQ(batch->null_count, 0);
  EXPECT_EQ(batch->buffers[0], nullptr);
  ASSERT_TRUE(admit(-1, 0, nullptr, &batch).ok());
  EXPECT_EQ(batch->null_count, 0);
  EXPECT_TRUE(admit(0, 0, one_null, &batch).ok());
}

TEST(BatchTest, LooksForNullsInAnyPartOfABitmap) {
  const Layout layout = LayoutOf(BatchOf({}));
  for (int64_t offset = 0; offset < 17; ++offset) {
    for (int64_t length = 0; length < 20; ++length) {
      for (int64_t null = 0; null < 40; ++null) {
        unsigned char bitmap[5] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
        bitmap[null / 8] &= static_cast<unsigned char>(~(1 << (null % 8)));
        RawArray value = RawRows(length, {});
        value.offset = offset;
        value.null_count = -1;
        value.buffers[0] = bitmap;
        OwnedArray batch = Make(value);
        const bool inside = null >= offset && null < offset + length;
        ASSERT_EQ(AdmitBatch(layout, Level::kShape, batch.get()).ok(), !inside)
            << offset << " " << length << " " << null;
      }
    }
  }
}

TEST(BatchTest, LetsColumnsBeMovedOutOfARepairedBatch) {
  ReleaseCount released = 0;
  RawArray value = RawRows(2, {Numbers(5), RawRows(5, {Numbers(5)})});
  value.offset = 1;
  OwnedArray batch = Make(value, &released);
  const Spec nested{.format = "+s", .children = {kInt}};
  ASSERT_TRUE(
      AdmitBatch(LayoutOf(BatchOf({kInt, nested})), Level::kShape, batch.get()).ok());
  OwnedArray column(batch->children[1]);
  OwnedArray inner(column->children[0]);
  batch.Release();
  EXPECT_EQ(released, 0);
  std::thread([moved = std::move(column)]() mutable { moved.Release(); }).join();
  EXPECT_EQ(released, 0);
  EXPECT_EQ(*Describe(*Make(kInt), *inner), "Int32[10, 11, 12, 13, 14]");
  inner.Release();
  EXPECT_EQ(released, 4);
}

TEST(BatchTest, PassesAProjectedBatchUnchanged) {
  const Projection last_first{.columns = {1, 0}, .identity = false};
  const Spec schema = BatchOf({{.format = "i"}, {.format = "l"}});
  OwnedArray batch = Make(RawRows(2, {RawFixed(2), RawFixed(2)}));
  ArrowArray* const last = batch->children[1];
  ASSERT_TRUE(ProjectBatch(last_first, batch.get()).ok());
  const auto layout = Layout::OfBatch(**ProjectSchema(*Make(schema), last_first));
  ASSERT_TRUE(AdmitBatch(*layout, Level::kShape, batch.get()).ok());
  EXPECT_EQ(batch->children[0], last);
}

TEST(BatchTest, KeepsARepairedBatchAliveThroughItsProjection) {
  ReleaseCount released = 0;
  RawArray value = RawRows(1, {RawFixed(2), RawFixed(2)});
  value.offset = 1;
  OwnedArray batch = Make(value, &released);
  const Spec schema = BatchOf({{.format = "i"}, {.format = "l"}});
  ASSERT_TRUE(
      AdmitBatch(*Layout::OfBatch(*Make(schema)), Level::kShape, batch.get()).ok());
  ASSERT_TRUE(ProjectBatch({.columns = {1}, .identity = false}, batch.get()).ok());
  OwnedArray column(batch->children[0]);
  batch.Release();
  EXPECT_EQ(released, 0);  // the column needs the memory of the batch
  EXPECT_EQ(column->offset, 1);
  column.Release();
  EXPECT_EQ(released, 3);
}

}  // namespace
}  // namespace alloy::core
