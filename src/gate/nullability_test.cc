// SPDX-License-Identifier: MIT
#include "gate/nullability.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "alloy/testing/raw.hpp"
#include "gate/batch.h"

namespace alloy::core {
namespace {

using testing::BatchOf;
using testing::Make;
using testing::RawArray;
using testing::RawFixed;
using testing::RawRows;
using testing::Spec;

const Spec kRequired{.format = "i", .name = "r", .flags = 0};
const Spec kOptional{.format = "i", .name = "o"};
const uint8_t kRow1[] = {0b11101};  // row 1 is null

RawArray NullAt(const uint8_t* bitmap, int64_t rows, int64_t null_count = -1) {
  RawArray array = RawFixed(rows);
  array.buffers[0] = bitmap;
  array.null_count = null_count;
  return array;
}

Status Check(Checks checks, const Spec& column, const RawArray& array) {
  OwnedArray batch = Make(RawRows(array.length, {array}));
  const auto layout = Layout::OfBatch(*Make(BatchOf({column})));
  EXPECT_TRUE(layout.ok());
  return AdmitBatch(*layout, checks, batch.get());
}

int32_t Reason(Checks checks, const Spec& column, const RawArray& array) {
  return Check(checks, column, array).reason();
}

TEST(NullabilityTest, AColumnThatIsNotNullableHasNoNulls) {
  for (const int64_t count : {-1, 1}) {
    const RawArray array = NullAt(kRow1, 4, count);
    const Status status = Check(Level::kSafe, kRequired, array);
    EXPECT_EQ(status.reason(), ALLOY_REASON_NOT_NULLABLE);
    EXPECT_EQ(status.fault().column, 0);
    EXPECT_NE(status.fault().text.find("(r), row 1: "), std::string::npos)
        << status.fault().text;
    EXPECT_EQ(Reason(Level::kFull, kRequired, array), ALLOY_REASON_NOT_NULLABLE);
    EXPECT_EQ(Reason(Level::kShape, kRequired, array), ALLOY_REASON_NONE);
    EXPECT_EQ(Reason(Level::kSafe, kOptional, array), ALLOY_REASON_NONE);
    // Trust in the values is not trust in the declaration.
    EXPECT_EQ(Reason(Checks(Level::kShape, true), kRequired, array), ALLOY_REASON_NONE);
    EXPECT_EQ(Reason(Checks(Level::kSafe, true), kRequired, array),
              ALLOY_REASON_NOT_NULLABLE);
  }
  EXPECT_EQ(Reason(Level::kFull, kRequired, NullAt(nullptr, 4)), ALLOY_REASON_NONE);
  const uint8_t all[] = {0xFF};
  EXPECT_EQ(Reason(Level::kFull, kRequired, NullAt(all, 4)), ALLOY_REASON_NONE);
}

TEST(NullabilityTest, OnlyTheRowsOfTheBatchCount) {
  RawArray later = NullAt(kRow1, 3);
  later.offset = 2;
  EXPECT_EQ(Reason(Level::kSafe, kRequired, later), ALLOY_REASON_NONE);
  OwnedArray batch = Make(RawRows(1, {NullAt(kRow1, 4)}));
  const auto layout = Layout::OfBatch(*Make(BatchOf({kRequired})));
  EXPECT_TRUE(AdmitBatch(*layout, Level::kSafe, batch.get()).ok());
}

TEST(NullabilityTest, ANullParentHidesTheNullsOfItsFields) {
  const Spec field{.format = "+s", .name = "s", .children = {kRequired}};
  RawArray visible = RawRows(4, {NullAt(kRow1, 4)});
  EXPECT_EQ(Reason(Level::kSafe, field, visible), ALLOY_REASON_NOT_NULLABLE);
  RawArray hidden = visible;
  hidden.buffers[0] = kRow1;
  hidden.null_count = 1;
  EXPECT_EQ(Reason(Level::kSafe, field, hidden), ALLOY_REASON_NONE);
  // With offsets of both: row 1 of the field is row 0 of the struct.
  RawArray moved = RawRows(2, {NullAt(kRow1, 4)});
  moved.offset = 1;
  EXPECT_EQ(Reason(Level::kSafe, field, moved), ALLOY_REASON_NOT_NULLABLE);
  const uint8_t first[] = {0b101};  // row 0 of the struct, at bit 1
  moved.buffers[0] = first;
  moved.null_count = 1;
  EXPECT_EQ(Reason(Level::kSafe, field, moved), ALLOY_REASON_NONE);
}

TEST(NullabilityTest, ANullListHidesTheNullsOfItsItems) {
  const Spec list{.format = "+l", .name = "l", .children = {kRequired}};
  const int32_t offsets[] = {0, 0, 1, 3, 3};
  RawArray array{
      .length = 4, .buffers = {nullptr, offsets}, .children = {NullAt(kRow1, 3)}};
  const Status status = Check(Level::kSafe, list, array);
  EXPECT_EQ(status.reason(), ALLOY_REASON_NOT_NULLABLE);
  EXPECT_EQ(status.fault().column, 1);
  const uint8_t third[] = {0b1011};  // the list with the items 1 and 2
  array.buffers[0] = third;
  array.null_count = 1;
  EXPECT_EQ(Reason(Level::kSafe, list, array), ALLOY_REASON_NONE);

  const Spec fixed{.format = "+w:2", .name = "f", .children = {kRequired}};
  RawArray pairs{.length = 2, .buffers = {nullptr}, .children = {NullAt(kRow1, 4)}};
  EXPECT_EQ(Reason(Level::kSafe, fixed, pairs), ALLOY_REASON_NOT_NULLABLE);
  const uint8_t first[] = {0b10};
  pairs.buffers[0] = first;
  pairs.null_count = 1;
  EXPECT_EQ(Reason(Level::kSafe, fixed, pairs), ALLOY_REASON_NONE);
}

TEST(NullabilityTest, MapsHaveNoNullEntriesAndNoNullKeysAtLevelFull) {
  const int32_t offsets[] = {0, 2, 4};
  const Spec key{.format = "i", .name = "key"};
  const auto map = [&](const Spec& of_key, RawArray entries) {
    const Spec spec{
        .format = "+m",
        .name = "m",
        .children = {
            {.format = "+s", .name = "entries", .children = {of_key, kOptional}}}};
    const RawArray array{
        .length = 2, .buffers = {nullptr, offsets}, .children = {std::move(entries)}};
    return std::vector{Reason(Level::kSafe, spec, array),
                       Reason(Level::kFull, spec, array),
                       Reason(Checks(Level::kShape, true), spec, array)};
  };
  using Reasons = std::vector<int32_t>;
  const RawArray null_key = RawRows(4, {NullAt(kRow1, 4), RawFixed(4)});
  RawArray null_entry = RawRows(4, {RawFixed(4), RawFixed(4)});
  null_entry.buffers[0] = kRow1;
  null_entry.null_count = 1;
  const RawArray null_value = RawRows(4, {RawFixed(4), NullAt(kRow1, 4)});
  constexpr int32_t kNone = ALLOY_REASON_NONE, kMap = ALLOY_REASON_MAP_NULLS;
  EXPECT_EQ(map(key, null_key), (Reasons{kNone, kMap, kMap}));
  EXPECT_EQ(map(key, null_entry), (Reasons{kNone, kMap, kMap}));
  EXPECT_EQ(map(key, null_value), (Reasons{kNone, kNone, kNone}));
  // A key that is declared as Arrow wants it.
  constexpr int32_t kDeclared = ALLOY_REASON_NOT_NULLABLE;
  EXPECT_EQ(map(kRequired, null_key), (Reasons{kDeclared, kDeclared, kDeclared}));
}

}  // namespace
}  // namespace alloy::core
