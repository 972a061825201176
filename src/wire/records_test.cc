// SPDX-License-Identifier: MIT
#include "wire/records.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "alloy/testing/equal.hpp"
#include "alloy/testing/raw.hpp"
#include "alloy/testing/sample.hpp"
#include "arrow/view.h"
#include "wire/records_test_support.h"

namespace alloy::core {
namespace {

using testing::BatchOf;
using testing::Sample;
using testing::Spec;
using wire_testing::Message;
using wire_testing::Receive;
using wire_testing::Segment;
using wire_testing::Send;

constexpr TakeOver kTakeOvers[] = {TakeOver::kView, TakeOver::kCopyFollowed,
                                   TakeOver::kCopyAll};

// One column of every type, and a batch with all of them.
std::vector<Spec> EveryBatch() {
  std::vector<Spec> batches;
  for (const Spec& column : testing::EveryType()) batches.push_back(BatchOf({column}));
  batches.push_back(BatchOf(testing::EveryType()));
  batches.push_back(BatchOf({}));
  return batches;
}

void ExpectSame(const Spec& spec, const ArrowArray& expected, const Layout& layout,
                const Message& message, TakeOver take_over) {
  const OwnedSchema schema = testing::Make(spec);
  auto batch = Receive(layout, message.record, message.segments, take_over);
  ASSERT_TRUE(batch.ok()) << batch.status().fault().text;
  EXPECT_EQ((*batch)->length, expected.length);
  EXPECT_EQ(testing::FirstDifference(*schema, expected, 0, **batch, 0, expected.length),
            -1);
}

TEST(RecordsTest, EveryTypeIsTheSameAfterwards) {
  for (const Spec& spec : EveryBatch()) {
    const auto layout = Layout::OfBatch(*testing::Make(spec));
    ASSERT_TRUE(layout.ok());
    for (const int64_t rows : {0, 1, 7, 100, 1500}) {
      for (const int64_t before : {0, 3, 8, 1029}) {
        for (const double nulls : {0.0, 0.25, 1.0}) {
          const Sample sample(
              spec, {.rows = rows, .before = before, .null_share = nulls, .garbage = 5});
          const auto message = Send(*layout, sample.array());
          ASSERT_TRUE(message.ok()) << message.status().fault().text;
          for (const TakeOver take_over : kTakeOvers) {
            SCOPED_TRACE(testing::TextOf(spec) + ", rows " + std::to_string(rows) +
                         ", before " + std::to_string(before) + ", nulls " +
                         std::to_string(nulls) + ", take over " +
                         std::to_string(static_cast<int>(take_over)));
            ExpectSame(spec, sample.array(), *layout, *message, take_over);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

// The edges of the specification, such as values of no bytes and a union without type ids.
TEST(RecordsTest, EveryEdgeOfTheSpecificationIsTheSameAfterwards) {
  for (const testing::RawColumn& column : testing::EveryRawColumn()) {
    const Spec spec = BatchOf({column.spec});
    const auto layout = Layout::OfBatch(*testing::Make(spec));
    const OwnedArray batch =
        testing::Make(testing::RawRows(column.array.length, {column.array}));
    const auto message = Send(*layout, *batch);
    ASSERT_TRUE(message.ok()) << column.spec.name;
    for (const TakeOver take_over : kTakeOvers) {
      SCOPED_TRACE(column.spec.name);
      ExpectSame(spec, *batch, *layout, *message, take_over);
    }
  }
}

// Of a batch that lies in a segment, the first `bytes` after `begin` may be named, and the
// rest is copied: named parents of copied children, and the other way round.
TEST(RecordsTest, NamedAndCopiedBuffersMayBeMixed) {
  for (const Spec& spec : EveryBatch()) {
    const auto layout = Layout::OfBatch(*testing::Make(spec));
    const Sample sample(spec, {.rows = 100, .before = 11, .garbage = 5});
    const auto first = Send(*layout, sample.array());
    ASSERT_TRUE(first.ok());
    if (first->copies == nullptr) continue;
    auto seen = Receive(*layout, first->record, first->segments, TakeOver::kView);
    ASSERT_TRUE(seen.ok());
    ArrowArray& batch = **seen;
    batch.offset = 5;
    batch.length = 90;
    const std::span<const std::byte> whole = first->copies->view().bytes;
    const size_t step = whole.size() < 8192 ? 64 : whole.size() / 64 / 64 * 64;
    for (size_t at = 0; at <= whole.size(); at += step) {
      const SegmentView parts[] = {
          {.number = 2, .bytes = whole.first(at), .begin = 0},
          {.number = 2, .bytes = whole.subspan(at), .begin = at}};
      for (const std::vector<SegmentView>& named :
           {std::vector{parts[0]}, std::vector{parts[1]},
            std::vector{parts[0], parts[1]}}) {
        const auto second = Send(*layout, batch, named);
        ASSERT_TRUE(second.ok());
        SCOPED_TRACE(testing::TextOf(spec) + ", " + std::to_string(at));
        auto read =
            Receive(*layout, second->record, second->segments, TakeOver::kCopyFollowed);
        ASSERT_TRUE(read.ok()) << read.status().fault().text;
        const OwnedSchema schema = testing::Make(spec);
        ASSERT_EQ(testing::FirstDifference(*schema, batch, 0, **read, 0, batch.length),
                  -1);
      }
    }
  }
}

// Every buffer of an array, and of all arrays below it.
void AddBuffers(const ArrowArray& array, std::vector<const void*>* buffers) {
  for (int64_t i = 0; i < array.n_buffers; ++i) buffers->push_back(array.buffers[i]);
  for (int64_t i = 0; i < array.n_children; ++i) {
    AddBuffers(*array.children[i], buffers);
  }
  if (array.dictionary != nullptr) AddBuffers(*array.dictionary, buffers);
}

TEST(RecordsTest, WhatLiesInASegmentIsNotCopied) {
  for (const Spec& spec : EveryBatch()) {
    SCOPED_TRACE(testing::TextOf(spec));
    const auto layout = Layout::OfBatch(*testing::Make(spec));
    const Sample sample(spec, {.rows = 100});
    const auto first = Send(*layout, sample.array());
    ASSERT_TRUE(first.ok());
    auto seen = Receive(*layout, first->record, first->segments, TakeOver::kView);
    ASSERT_TRUE(seen.ok());
    RecordWriter writer(*layout);
    ASSERT_TRUE(writer.Plan(**seen, first->segments).ok());
    EXPECT_EQ(writer.copied_bytes(), 0U);
    const auto second = Send(*layout, **seen, first->segments);
    ASSERT_TRUE(second.ok());
    auto again = Receive(*layout, second->record, second->segments, TakeOver::kView);
    ASSERT_TRUE(again.ok());
    std::vector<const void*> before, after;
    AddBuffers(**seen, &before);
    AddBuffers(**again, &after);
    ASSERT_EQ(before.size(), after.size());
    for (size_t i = 0; i < before.size(); ++i) {
      // The sizes of variadic buffers are made anew.
      if (first->copies != nullptr && first->copies->Has(before[i])) {
        EXPECT_EQ(before[i], after[i]) << i;
      }
    }
  }
}

TEST(RecordsTest, NothingRefersToASegmentAfterACopyOfAll) {
  for (const Spec& spec : EveryBatch()) {
    SCOPED_TRACE(testing::TextOf(spec));
    const auto layout = Layout::OfBatch(*testing::Make(spec));
    const Sample sample(spec, {.rows = 100, .before = 9});
    auto message = Send(*layout, sample.array());
    ASSERT_TRUE(message.ok());
    auto batch = Receive(*layout, message->record, message->segments, TakeOver::kCopyAll);
    ASSERT_TRUE(batch.ok());
    message->copies.reset();  // AddressSanitizer would see a use
    const OwnedSchema schema = testing::Make(spec);
    EXPECT_EQ(testing::FirstDifference(*schema, sample.array(), 0, **batch, 0, 100), -1);
  }
}

// A small slice of a large array costs what the slice costs.
TEST(RecordsTest, OnlyTheRowsOfASliceAreCopied) {
  for (const Spec& column : testing::EveryType()) {
    if (!column.dictionary.empty()) continue;  // dictionaries go whole
    const Spec spec = BatchOf({column});
    SCOPED_TRACE(testing::TextOf(spec));
    const auto layout = Layout::OfBatch(*testing::Make(spec));
    const Sample large(spec, {.rows = 20'000});
    const Sample small(spec, {.rows = 40});
    RecordWriter writer(*layout);
    ASSERT_TRUE(writer.Plan(small.array(), {}).ok());
    const uint64_t limit = 2 * writer.copied_bytes() + 64 * layout->nodes().size() * 3;
    ArrowArray slice = large.array();  // a look at it, which is not released
    slice.offset = 10'003;
    slice.length = 40;
    ASSERT_TRUE(writer.Plan(slice, {}).ok());
    EXPECT_LE(writer.copied_bytes(), limit);
  }
}

TEST(RecordsTest, OnlyVariadicBuffersThatAreUsedGo) {
  const Spec spec = BatchOf({{.format = "vu", .name = "x"}});
  const auto layout = Layout::OfBatch(*testing::Make(spec));
  constexpr int32_t kBuffers = 1000;
  const std::string text(64, 'a');
  std::vector<View> views;
  std::vector<const void*> buffers = {nullptr, nullptr};
  for (int32_t i = 0; i < kBuffers; ++i) {
    views.push_back({.length = 20, .prefix = 0x61616161, .buffer = i, .offset = i % 44});
    buffers.push_back(text.data());
  }
  const std::vector<int64_t> sizes(kBuffers, 64);
  buffers[1] = views.data();
  buffers.push_back(sizes.data());
  OwnedArray batch = testing::Make(
      testing::RawRows(kBuffers, {{.length = kBuffers, .buffers = buffers}}));
  const auto whole = Send(*layout, *batch);
  ASSERT_TRUE(whole.ok());
  for (const TakeOver take_over : kTakeOvers) {
    ExpectSame(spec, *batch, *layout, *whole, take_over);
  }
  batch->offset = 500;
  batch->length = 3;
  const auto part = Send(*layout, *batch);
  ASSERT_TRUE(part.ok());
  auto read = Receive(*layout, part->record, part->segments, TakeOver::kCopyAll);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ((*read)->children[0]->n_buffers, 3 + 3);
  EXPECT_EQ(LoadValue<int64_t>((*read)->children[0]->buffers[5], 0), 20);
  const OwnedSchema schema = testing::Make(spec);
  EXPECT_EQ(testing::FirstDifference(*schema, *batch, 0, **read, 0, 3), -1);
}

// Arrow says nothing about the views of null rows. One that leads nowhere becomes empty.
TEST(RecordsTest, AViewOfANullRowMayBeAnything) {
  const Spec spec = BatchOf({{.format = "vu", .name = "x"}});
  const auto layout = Layout::OfBatch(*testing::Make(spec));
  const View views[] = {{.length = 20, .prefix = 1, .buffer = 9, .offset = -4}, {}};
  const uint8_t validity[] = {0b10};
  const OwnedArray batch = testing::Make(testing::RawRows(
      2, {{.length = 2, .buffers = {validity, views, nullptr}, .null_count = 1}}));
  for (const TakeOver take_over : kTakeOvers) {
    const auto message = Send(*layout, *batch);
    ASSERT_TRUE(message.ok());
    ExpectSame(spec, *batch, *layout, *message, take_over);
  }
}

// Plain columns that lie behind each other need one word each, and are one part of what is
// named. A column between them, or one of another size, ends the row.
TEST(RecordsTest, ColumnsThatFollowEachOtherAreShort) {
  const Spec plain{.format = "l", .name = "x"};
  const Spec spec = BatchOf({plain,
                             plain,
                             {.format = "u", .name = "text"},
                             plain,
                             plain,
                             {.format = "i", .name = "short"},
                             plain});
  const auto layout = Layout::OfBatch(*testing::Make(spec));
  const OwnedSchema schema = testing::Make(spec);
  Segment segment(3, 1024);
  for (int i = 0; i < 128; ++i) {
    const int64_t value = i < 48 ? i : 0;
    std::memcpy(segment.data() + int64_t{8} * i, &value, 8);
  }
  const int32_t offsets[] = {0, 1, 2};
  std::memcpy(segment.data() + 512, offsets, sizeof(offsets));
  const auto at = [&](int64_t byte) { return segment.data() + byte; };
  const auto column = [](const std::byte* values) {
    return testing::RawArray{.length = 2, .buffers = {nullptr, values}};
  };
  const OwnedArray batch = testing::Make(
      testing::RawRows(2, {column(at(0)),
                           column(at(16)),
                           {.length = 2, .buffers = {nullptr, at(512), at(600)}},
                           column(at(32)),
                           column(at(48)),
                           column(at(64)),
                           column(at(72))}));
  const SegmentView segments[] = {segment.view()};
  RecordWriter writer(*layout);
  ASSERT_TRUE(writer.Plan(*batch, segments).ok());
  EXPECT_EQ(writer.copied_bytes(), 0U);
  // The batch; x; x behind it; a text of two buffers; x; x behind it; short; x.
  EXPECT_EQ(writer.record_bytes(), (4 + 4 + 1 + 7 + 4 + 1 + 4 + 4) * sizeof(uint64_t));
  ASSERT_EQ(writer.named().size(), 6U);
  EXPECT_EQ(writer.named()[0].bytes.size(), 32U);
  const auto message = Send(*layout, *batch, {segment.view()});
  ASSERT_TRUE(message.ok());
  for (const TakeOver take_over : kTakeOvers) {
    ExpectSame(spec, *batch, *layout, *message, take_over);
  }
}

TEST(RecordsTest, WhatFollowsAPlaceMustLieInItsPartToo) {
  const Spec spec = BatchOf({{.format = "l", .name = "x"}, {.format = "l", .name = "y"}});
  const auto layout = Layout::OfBatch(*testing::Make(spec));
  Segment segment(3, 128);
  const uint64_t n = 8, size = n * sizeof(int64_t);
  const auto read = [&](std::vector<uint64_t> columns) {
    std::vector<uint64_t> words = {record::kHasHead, n, 0, 0};
    words.insert(words.end(), columns.begin(), columns.end());
    const std::vector<SegmentView> segments = {segment.view()};
    return Receive(*layout, std::as_bytes(std::span(words)), segments, TakeOver::kView)
        .status();
  };
  const uint64_t place = record::HasBuffer(1), follows = record::kFollows;
  EXPECT_TRUE(read({place, 3, 0, size, follows}).ok());
  // Behind the end; behind no place; behind an empty one; at an end that wraps.
  for (const std::vector<uint64_t>& columns :
       {std::vector<uint64_t>{place, 3, 64, size, follows},
        {follows, follows},
        {place, 0, 0, 0, follows},
        {place, 3, 0 - size, size, follows}}) {
    const Status status = read(columns);
    EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
    EXPECT_EQ(status.reason(), ALLOY_REASON_BUFFER_PLACE) << status.fault().text;
  }
}

TEST(RecordsTest, AWriterIsUsedForManyBatches) {
  const Spec spec = BatchOf(testing::EveryType());
  const auto layout = Layout::OfBatch(*testing::Make(spec));
  RecordWriter writer(*layout);
  RecordReader reader(*layout);
  const OwnedSchema schema = testing::Make(spec);
  for (const int64_t rows : {50, 0, 7, 200}) {
    const Sample sample(spec, {.rows = rows, .seed = static_cast<uint64_t>(rows)});
    ASSERT_TRUE(writer.Plan(sample.array(), {}).ok());
    Segment segment(1, writer.copied_bytes());
    writer.Copy(segment.data(), 1, 0);
    std::vector<std::byte> record(writer.record_bytes());
    ByteWriter out(record);
    writer.Write(out);
    ByteReader in(record);
    const SegmentView segments[] = {segment.view()};
    ArrowArray array;
    ASSERT_TRUE(reader.Read(in, segments, TakeOver::kCopyFollowed, nullptr, &array).ok());
    const OwnedArray batch(&array);
    EXPECT_EQ(testing::FirstDifference(*schema, sample.array(), 0, *batch, 0, rows), -1);
  }
}

TEST(RecordsTest, TheOwnerGoesWithTheLastStruct) {
  const Spec spec = BatchOf({{.format = "l", .name = "x"}, {.format = "u", .name = "y"}});
  const auto layout = Layout::OfBatch(*testing::Make(spec));
  const Sample sample(spec, {.rows = 10});
  const auto message = Send(*layout, sample.array());
  ASSERT_TRUE(message.ok());
  for (const TakeOver take_over : kTakeOvers) {
    auto owner = std::make_shared<int>();
    const std::weak_ptr<int> watch = owner;
    auto batch =
        Receive(*layout, message->record, message->segments, take_over, std::move(owner));
    ASSERT_TRUE(batch.ok());
    OwnedArray column((*batch)->children[1]);
    batch->Release();
    EXPECT_FALSE(watch.expired());
    column.Release();
    EXPECT_TRUE(watch.expired());
  }
}

TEST(RecordsTest, ABatchMayNotCopyMoreThanItsLimit) {
  const Spec spec = BatchOf({{.format = "u", .name = "x"}});
  const auto layout = Layout::OfBatch(*testing::Make(spec));
  const Sample sample(spec, {.rows = 1000});
  const auto message = Send(*layout, sample.array());
  ASSERT_TRUE(message.ok());
  RecordReader reader(*layout);
  reader.LimitCopies(1000);
  ByteReader in(message->record);
  ArrowArray array;
  const Status status =
      reader.Read(in, message->segments, TakeOver::kCopyFollowed, nullptr, &array);
  EXPECT_EQ(status.code(), ALLOY_EXHAUSTED);
  EXPECT_EQ(array.release, nullptr);
}

TEST(RecordsTest, ASliceWithImpossibleOffsetsIsNotRead) {
  const Spec spec = BatchOf({{.format = "u", .name = "x"}});
  const auto layout = Layout::OfBatch(*testing::Make(spec));
  const int32_t offsets[] = {0, 1, 1000, 3, 4};
  const OwnedArray batch = testing::Make(testing::RawRows(
      2, {{.length = 4, .buffers = {nullptr, offsets, testing::Zeros()}}}));
  RecordWriter writer(*layout);
  const Status status = writer.Plan(*batch, {});
  EXPECT_EQ(status.reason(), ALLOY_REASON_OFFSETS);
  EXPECT_EQ(status.fault().column, 0);
}

}  // namespace
}  // namespace alloy::core
