// SPDX-License-Identifier: MIT
//
// Records in which a hostile process lies. The engine reads them, and passes the batch
// through the gate at level safe, as it does with every result of a worker. Then every value
// is read. Segments and records are allocations of exactly their size.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "alloy/testing/raw.hpp"
#include "alloy/testing/sample.hpp"
#include "engine/isolated/records_test_reader.h"
#include "gate/batch.h"
#include "wire/records_test_support.h"

namespace alloy::core {
namespace {

using isolated_testing::BatchReader;
using testing::BatchOf;
using testing::Sample;
using testing::Spec;
using wire_testing::Send;

constexpr TakeOver kTakeOvers[] = {TakeOver::kView, TakeOver::kCopyFollowed,
                                   TakeOver::kCopyAll};

// Notes whether it was destroyed.
std::shared_ptr<void> OwnerOf(bool* gone) {
  *gone = false;
  return std::shared_ptr<void>(gone, [](void* at) { *static_cast<bool*>(at) = true; });
}

// What the engine does with a record. Returns the fault, or ok after all values were read.
Status Take(const Layout& layout, std::span<const std::byte> record,
            std::span<const SegmentView> segments, TakeOver take_over) {
  RecordReader reader(layout);
  reader.LimitCopies(1 << 24);
  ByteReader in(record);
  bool gone = false;
  ArrowArray array;
  Status status = reader.Read(in, segments, take_over, OwnerOf(&gone), &array);
  if (!status.ok()) {
    EXPECT_EQ(array.release, nullptr);
  } else {
    EXPECT_FALSE(gone);
    OwnedArray batch(&array);
    status = AdmitBatch(layout, {Level::kSafe}, batch.get());
    if (status.ok()) BatchReader(layout).Read(*batch);
  }
  EXPECT_TRUE(gone);
  if (!status.ok() && status.code() != ALLOY_EXHAUSTED) {
    EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
    EXPECT_NE(status.reason(), ALLOY_REASON_NONE) << status.fault().text;
    EXPECT_LT(status.fault().column, static_cast<int32_t>(layout.nodes().size()) - 1);
  }
  return status;
}

// Values that a field may be given instead of `value`.
std::vector<uint64_t> LiesAbout(uint64_t value, uint64_t segment_bytes) {
  std::vector<uint64_t> lies = {0,
                                1,
                                2,
                                7,
                                8,
                                9,
                                64,
                                value + 1,
                                value - 1,
                                value + 8,
                                value - 8,
                                value * 2,
                                value / 2,
                                0 - value,
                                segment_bytes,
                                segment_bytes - 1,
                                segment_bytes + 1,
                                0 - segment_bytes,
                                uint64_t{1} << 31,
                                uint64_t{1} << 32,
                                uint64_t{1} << 60,
                                uint64_t{1} << 61,
                                uint64_t{1} << 62,
                                (uint64_t{1} << 63) - 64,
                                (uint64_t{1} << 63) - 1,
                                uint64_t{1} << 63,
                                ~uint64_t{0}};
  for (int bit = 0; bit < 64; ++bit) lies.push_back(value ^ (uint64_t{1} << bit));
  return lies;
}

std::vector<Spec> EveryColumn() {
  std::vector<Spec> columns = testing::EveryType();
  columns.push_back({.format = "+s",
                     .name = "deep",
                     .children = {{.format = "+l",
                                   .name = "lists",
                                   .children = {{.format = "vu", .name = "item"}}},
                                  {.format = "+r",
                                   .name = "runs",
                                   .children = {{.format = "s", .name = "run_ends"},
                                                {.format = "u", .name = "values"}}}}});
  return columns;
}

// A column of int64 with nulls, and one of utf8, as the words of a record.
TEST(RecordLieTest, IsRefusedWithItsReasonAndColumn) {
  const Spec spec = BatchOf({{.format = "l", .name = "x"}, {.format = "u", .name = "y"}});
  const auto layout = Layout::OfBatch(*testing::Make(spec));
  const uint8_t validity[] = {0b11011110};
  const int64_t values[8] = {};
  const int32_t offsets[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  const OwnedArray batch = testing::Make(
      testing::RawRows(8, {{.length = 8, .buffers = {validity, values}, .null_count = 2},
                           {.length = 8, .buffers = {nullptr, offsets, "abcdefgh"}}}));
  const auto message = Send(*layout, *batch);
  ASSERT_TRUE(message.ok());
  enum Word : size_t {
    kBatchFlags,
    kBatchLength,
    kBatchNulls,
    kBatchOffset,  // the batch
    kFlags,
    kLength,
    kNulls,
    kOffset,  // x
    kBitmapSegment,
    kBitmapOffset,
    kBitmapBytes,  // its bitmap
    kValuesSegment,
    kValuesOffset,
    kValuesBytes,  // its values
    kTextFlags,    // y
    kOffsetsSegment,
    kOffsetsOffset,
    kOffsetsBytes,  // its offsets
    kTextSegment,
    kTextOffset,
    kTextBytes,  // its bytes
    kWords
  };
  ASSERT_EQ(message->record.size(), kWords * sizeof(uint64_t));
  struct Lie {
    Word word;
    uint64_t value;
    int32_t reason;
    int32_t column;
  };
  const uint64_t minus_one = ~uint64_t{0};
  const uint64_t huge = uint64_t{1} << 62;
  const uint64_t size = message->copies->size();
  const uint64_t flags = record::kHasHead | record::HasBuffer(0) | record::HasBuffer(1);
  const Lie lies[] = {
      {kBatchFlags, record::kHasHead | record::HasBuffer(1), ALLOY_REASON_BUFFER_COUNT,
       -1},
      {kBatchLength, minus_one, ALLOY_REASON_LENGTH, -1},
      {kBatchLength, 9, ALLOY_REASON_BUFFER_PLACE, 1},
      {kBatchNulls, 1, ALLOY_REASON_NULLS_WITHOUT_BITMAP, -1},
      {kBatchNulls, minus_one - 1, ALLOY_REASON_NULL_COUNT, -1},
      {kBatchOffset, minus_one, ALLOY_REASON_OFFSET, -1},
      {kBatchOffset, 1, ALLOY_REASON_CHILD_LENGTH, 0},
      {kFlags, flags | record::HasBuffer(2), ALLOY_REASON_BUFFER_COUNT, 0},
      {kFlags, flags | uint64_t{1} << record::kVariadicShift, ALLOY_REASON_BUFFER_COUNT,
       0},
      {kLength, minus_one, ALLOY_REASON_LENGTH, 0},
      {kLength, 9, ALLOY_REASON_BUFFER_PLACE, 0},
      {kLength, 7, ALLOY_REASON_CHILD_LENGTH, 0},
      {kLength, huge, ALLOY_REASON_OVERFLOW, 0},
      {kNulls, minus_one - 1, ALLOY_REASON_NULL_COUNT, 0},
      {kNulls, 9, ALLOY_REASON_NULL_COUNT, 0},
      {kOffset, minus_one, ALLOY_REASON_OFFSET, 0},
      {kOffset, huge, ALLOY_REASON_OVERFLOW, 0},
      {kOffset, 1, ALLOY_REASON_BUFFER_PLACE, 0},
      {kBitmapSegment, 0, ALLOY_REASON_BUFFER_PLACE, 0},
      {kBitmapSegment, 99, ALLOY_REASON_BUFFER_PLACE, 0},
      {kBitmapOffset, size, ALLOY_REASON_BUFFER_PLACE, 0},
      {kBitmapOffset, minus_one, ALLOY_REASON_BUFFER_PLACE, 0},
      {kBitmapBytes, 0, ALLOY_REASON_NULLS_WITHOUT_BITMAP, 0},
      {kBitmapBytes, minus_one, ALLOY_REASON_BUFFER_PLACE, 0},
      {kValuesSegment, uint64_t{1} << 32 | wire_testing::kCopies,
       ALLOY_REASON_BUFFER_PLACE, 0},
      {kValuesOffset, size - 63, ALLOY_REASON_BUFFER_PLACE, 0},
      {kValuesBytes, 63, ALLOY_REASON_BUFFER_PLACE, 0},
      {kValuesBytes, 0, ALLOY_REASON_BUFFER_NULL, 0},
      {kTextFlags, huge, ALLOY_REASON_BUFFER_COUNT, 1},
      {kOffsetsSegment, 99, ALLOY_REASON_BUFFER_PLACE, 1},
      {kOffsetsOffset, size - 35, ALLOY_REASON_BUFFER_PLACE, 1},
      {kOffsetsBytes, 35, ALLOY_REASON_BUFFER_PLACE, 1},
      {kOffsetsBytes, 0, ALLOY_REASON_BUFFER_NULL, 1},
      {kTextSegment, 99, ALLOY_REASON_BUFFER_PLACE, 1},
      {kTextOffset, size - 7, ALLOY_REASON_BUFFER_PLACE, 1},
      {kTextBytes, 7, ALLOY_REASON_OFFSETS, 1},
      {kTextBytes, 0, ALLOY_REASON_OFFSETS, 1},
  };
  for (const TakeOver take_over : kTakeOvers) {
    for (const Lie& lie : lies) {
      std::vector<std::byte> record = message->record;
      std::memcpy(record.data() + lie.word * sizeof(uint64_t), &lie.value,
                  sizeof(lie.value));
      const Status status = Take(*layout, record, message->segments, take_over);
      SCOPED_TRACE("word " + std::to_string(lie.word) + ", value " +
                   std::to_string(lie.value));
      ASSERT_FALSE(status.ok());
      EXPECT_EQ(status.reason(), lie.reason) << status.fault().text;
      EXPECT_EQ(status.fault().column, lie.column) << status.fault().text;
    }
  }
}

class HostileRecordsTest : public ::testing::TestWithParam<TakeOver> {};

TEST_P(HostileRecordsTest, NoFieldOfARecordMayLie) {
  int64_t refused = 0;
  int64_t passed = 0;
  for (const Spec& column : EveryColumn()) {
    const Spec spec = BatchOf({column});
    const auto layout = Layout::OfBatch(*testing::Make(spec));
    const Sample sample(spec, {.rows = 20, .before = 3, .garbage = 5});
    auto message = Send(*layout, sample.array());
    ASSERT_TRUE(message.ok());
    SCOPED_TRACE(testing::TextOf(spec));
    ASSERT_TRUE(Take(*layout, message->record, message->segments, GetParam()).ok());
    const size_t words = message->record.size() / sizeof(uint64_t);
    const uint64_t bytes = message->copies == nullptr ? 0 : message->copies->size();
    for (size_t word = 0; word < words; ++word) {
      std::byte* const at = message->record.data() + word * sizeof(uint64_t);
      uint64_t value = 0;
      std::memcpy(&value, at, sizeof(value));
      for (const uint64_t lie : LiesAbout(value, bytes)) {
        std::memcpy(at, &lie, sizeof(lie));
        const Status status =
            Take(*layout, message->record, message->segments, GetParam());
        ++(status.ok() ? passed : refused);
      }
      std::memcpy(at, &value, sizeof(value));
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(refused, 3 * passed);
}

TEST_P(HostileRecordsTest, NoRecordMayBeCut) {
  for (const Spec& column : EveryColumn()) {
    const Spec spec = BatchOf({column});
    const auto layout = Layout::OfBatch(*testing::Make(spec));
    const Sample sample(spec, {.rows = 20, .before = 3});
    const auto message = Send(*layout, sample.array());
    ASSERT_TRUE(message.ok());
    for (size_t size = 0; size < message->record.size(); ++size) {
      // A copy, so that nothing lies behind its end.
      const std::vector<std::byte> cut(
          message->record.begin(),
          message->record.begin() + static_cast<std::ptrdiff_t>(size));
      const Status status = Take(*layout, cut, message->segments, GetParam());
      EXPECT_EQ(status.reason(), ALLOY_REASON_BUFFER_PLACE)
          << testing::TextOf(spec) << ", " << size;
    }
  }
}

TEST_P(HostileRecordsTest, NoValueInASegmentMayLeadOutOfIt) {
  for (const Spec& column : EveryColumn()) {
    const Spec spec = BatchOf({column});
    const auto layout = Layout::OfBatch(*testing::Make(spec));
    const Sample sample(spec, {.rows = 20, .before = 3});
    auto message = Send(*layout, sample.array());
    ASSERT_TRUE(message.ok());
    SCOPED_TRACE(testing::TextOf(spec));
    const size_t words =
        message->copies == nullptr ? 0 : message->copies->size() / sizeof(int32_t);
    for (size_t word = 0; word < words; ++word) {
      std::byte* const at = message->copies->data() + word * sizeof(int32_t);
      int32_t value = 0;
      std::memcpy(&value, at, sizeof(value));
      for (const int32_t lie : {0, -1, 1, value + 1, value - 1, value ^ 0x7F7F7F7F,
                                0x7FFFFFFF, std::numeric_limits<int32_t>::min()}) {
        std::memcpy(at, &lie, sizeof(lie));
        (void)Take(*layout, message->record, message->segments, GetParam());
      }
      std::memcpy(at, &value, sizeof(value));
    }
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(EachWay, HostileRecordsTest, ::testing::ValuesIn(kTakeOvers),
                         [](const auto& way) {
                           return std::string(way.param == TakeOver::kView ? "View"
                                              : way.param == TakeOver::kCopyAll
                                                  ? "CopyAll"
                                                  : "CopyFollowed");
                         });

// A race on purpose, which ThreadSanitizer would report. In earnest the other side is
// another process.
#ifndef __SANITIZE_THREAD__
class HostileProcessTest : public ::testing::TestWithParam<TakeOver> {};

TEST_P(HostileProcessTest, MayRewriteItsSegmentsWhileTheyAreRead) {
  int64_t refused = 0;
  int64_t passed = 0;
  for (const Spec& column : EveryColumn()) {
    const Spec spec = BatchOf({column});
    const auto layout = Layout::OfBatch(*testing::Make(spec));
    const Sample sample(spec, {.rows = 3000, .before = 3});
    const auto message = Send(*layout, sample.array());
    ASSERT_TRUE(message.ok());
    if (message->copies == nullptr) continue;
    SCOPED_TRACE(testing::TextOf(spec));
    const std::vector<std::byte> original(
        message->copies->data(), message->copies->data() + message->copies->size());
    std::atomic<bool> done{false};
    std::thread mutator([&] {
      auto* bytes = reinterpret_cast<volatile uint32_t*>(message->copies->data());
      const size_t words = original.size() / sizeof(uint32_t);
      uint64_t random = 1;
      while (!done.load(std::memory_order_relaxed)) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        const size_t word = (random >> 33) % words;
        uint32_t value = 0;
        std::memcpy(&value, original.data() + word * sizeof(value), sizeof(value));
        bytes[word] = static_cast<uint32_t>(random);
        for (int pause = 0; pause < static_cast<int>(random % 64); ++pause) {
          std::atomic_signal_fence(std::memory_order_seq_cst);
        }
        bytes[word] = value;
      }
    });
    for (int i = 0; i < 60; ++i) {
      const Status status = Take(*layout, message->record, message->segments, GetParam());
      ++(status.ok() ? passed : refused);
    }
    done = true;
    mutator.join();
    if (HasFailure()) return;
  }
  EXPECT_GT(passed, 0);
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(EachWay, HostileProcessTest,
                         ::testing::Values(TakeOver::kCopyFollowed, TakeOver::kCopyAll),
                         [](const auto& way) {
                           return std::string(way.param == TakeOver::kCopyAll
                                                  ? "CopyAll"
                                                  : "CopyFollowed");
                         });
#endif

}  // namespace
}  // namespace alloy::core
