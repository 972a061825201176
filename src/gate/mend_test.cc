// SPDX-License-Identifier: MIT
#include "gate/mend.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "alloy/testing/raw.hpp"
#include "arrow/load_value.h"
#include "gate/batch.h"
#include "gate/describe.h"

namespace alloy::core {
namespace {

using testing::BatchOf;
using testing::EveryRawColumn;
using testing::Make;
using testing::RawArray;
using testing::RawColumn;
using testing::RawRows;
using testing::ReleaseCount;
using testing::Spec;

constexpr Checks kTrusted{Level::kShape, true};

// A batch with one column, as a function that trusts its values gets it.
class Admitted {
 public:
  Admitted(const Spec& spec, const RawArray& column, Checks checks = kTrusted)
      : Admitted(spec, RawRows(column.length, {column}), checks, 0) {}
  Admitted(const Spec& spec, const RawArray& rows, Checks checks, int)
      : batch_(Make(rows, &released_)) {
    const auto layout = Layout::OfBatch(*Make(BatchOf({spec})));
    EXPECT_TRUE(layout.ok());
    status_ = AdmitBatch(*layout, checks, batch_.get());
    // What was repaired is right for every check, and needs no second repair.
    if (!status_.ok() || !checks.trusted) return;
    const void* buffers = static_cast<const void*>(batch_->children[0]->buffers);
    EXPECT_TRUE(AdmitBatch(*layout, Checks(Level::kFull, true), batch_.get()).ok());
    EXPECT_EQ(batch_->children[0]->buffers, buffers);
  }

  const Status& status() const { return status_; }
  const ArrowArray& column() const { return *batch_->children[0]; }
  template <typename T>
  T At(int64_t buffer, int64_t row) const {
    return LoadValue<T>(column().buffers[buffer], column().offset + row);
  }
  std::string Text(int64_t row) const {
    const auto begin = At<int32_t>(1, row), end = At<int32_t>(1, row + 1);
    return {static_cast<const char*>(column().buffers[2]) + begin,
            static_cast<size_t>(end - begin)};
  }
  int Release() {
    batch_.Release();
    return released_;
  }

 private:
  ReleaseCount released_ = 0;
  OwnedArray batch_;
  Status status_;
};

struct View {
  int32_t length;
  char prefix[4];
  int32_t buffer, offset;
};
constexpr char kLongText[] = "abcdefghijklmnopqrst";
constexpr View kGood{20, {'a', 'b', 'c', 'd'}, 0, 0};
const int64_t kSizes[] = {20};

RawArray Views(const std::vector<View>& views, const uint8_t* bitmap) {
  return {.length = static_cast<int64_t>(views.size()),
          .buffers = {bitmap, views.data(), kLongText, kSizes},
          .null_count = -1};
}

TEST(MendTest, NullViewsBecomeEmptyWhateverTheyWere) {
  const uint8_t bitmap[] = {0b00101};
  const View bad[] = {
      {20, {'a', 'b', 'c', 'd'}, 0, 0x7ffff000}, {-7, {}, 99, 0},
      {20, {'a', 'b', 'c', 'd'}, 1, 0},          {20, {'x', 'b', 'c', 'd'}, 0, 0},
      {2, {'\xff', '\xfe', 0, 0}, 0, 0},         {1, {'a', 0, 0, 1}, 0, 0}};
  for (const View& view : bad) {
    const std::vector<View> views = {kGood, view, kGood, view, view};
    for (const char* format : {"vu", "vz"}) {
      Admitted admitted({.format = format, .name = "x"}, Views(views, bitmap));
      ASSERT_TRUE(admitted.status().ok()) << admitted.status().fault().text;
      constexpr View kEmpty{};
      for (const int64_t row : {0, 1, 2, 3, 4}) {
        const View found = admitted.At<View>(1, row);
        const bool is_binary_text = format[1] == 'z' && view.length == 2;
        if (is_binary_text) continue;  // bytes of any kind are right
        EXPECT_EQ(std::memcmp(&found, row % 2 == 0 && row < 4 ? &kGood : &kEmpty, 16), 0);
      }
      EXPECT_EQ(admitted.Release(), 2);
    }
    // The same view in a row that is not null is refused.
    const uint8_t valid[] = {0b11111};
    if (view.length != 2) {
      EXPECT_FALSE(
          Admitted({.format = "vu", .name = "x"}, Views(views, valid)).status().ok());
    }
  }
}

TEST(MendTest, ViewsThatPointOutsideAreMendedFromLevelSafeOn) {
  const uint8_t bitmap[] = {0b101};
  const std::vector<View> views = {kGood, {20, {}, 0, 0x7ffff000}, kGood};
  const Spec spec{.format = "vu", .name = "x"};
  for (const Level level : {Level::kSafe, Level::kFull}) {
    const Admitted admitted(spec, Views(views, bitmap), level);
    ASSERT_TRUE(admitted.status().ok());
    EXPECT_EQ(admitted.At<View>(1, 1).length, 0);
    EXPECT_EQ(admitted.At<View>(1, 2).length, 20);
  }
  const Admitted shape(spec, Views(views, bitmap), Level::kShape);
  EXPECT_EQ(shape.column().buffers[1], views.data());
}

TEST(MendTest, ASliceIsMendedAtEveryOffset) {
  std::vector<View> views(40, kGood);
  std::vector<uint8_t> bitmap(5, 0xFF);
  for (size_t row = 0; row < views.size(); row += 3) {
    views[row] = {20, {}, 5, -1};
    bitmap[row / 8] &= static_cast<uint8_t>(~(1U << row % 8));
  }
  for (int64_t offset = 0; offset < 20; ++offset) {
    for (int64_t skip = 0; skip < 10; skip += 3) {
      RawArray column = Views(views, bitmap.data());
      column.offset = offset;
      column.length = 20;
      RawArray rows = RawRows(20 - skip, {column});
      rows.offset = skip;
      Admitted admitted({.format = "vu", .name = "x"}, rows, kTrusted, 0);
      ASSERT_TRUE(admitted.status().ok()) << admitted.status().fault().text;
      const ArrowArray& mended = admitted.column();
      ASSERT_EQ(mended.length, 20 - skip);
      for (int64_t row = 0; row < mended.length; ++row) {
        const bool null = (offset + skip + row) % 3 == 0;
        EXPECT_EQ(admitted.At<View>(1, row).length, null ? 0 : 20);
        EXPECT_EQ(BitAt(mended.buffers[0], mended.offset + row), !null);
      }
      EXPECT_EQ(admitted.Release(), 2);
    }
  }
}

TEST(MendTest, TextBelowNullsIsLeftOut) {
  const int32_t offsets[] = {0, 2, 4, 7, 7, 9};
  const char bytes[] = "ab\xff\xfe\xe2\x82\xac\xc3\xa5";
  const uint8_t bitmap[] = {0b11101};
  const Spec spec{.format = "u", .name = "x"};
  const RawArray column{
      .length = 5, .buffers = {bitmap, offsets, bytes}, .null_count = 1};
  Admitted admitted(spec, column);
  ASSERT_TRUE(admitted.status().ok()) << admitted.status().fault().text;
  EXPECT_EQ(*Describe(*Make(spec), admitted.column()),
            "Utf8[\"ab\", null, \"€\", \"\", \"å\"]");
  EXPECT_EQ(admitted.Text(1), "");
  EXPECT_EQ(admitted.Release(), 2);

  RawArray cut = column;
  cut.offset = 1;
  cut.length = 2;
  const Admitted slice(spec, cut);
  EXPECT_EQ(*Describe(*Make(spec), slice.column()), "Utf8[null, \"€\"]");

  // A null row may also begin or end inside a character.
  const int32_t inside[] = {0, 2, 3, 5};
  const char split[] = "ab\xc3\xa5z";
  const uint8_t middle[] = {0b001};
  const Admitted parts(
      spec, {.length = 3, .buffers = {middle, inside, split}, .null_count = 2});
  EXPECT_EQ(*Describe(*Make(spec), parts.column()), "Utf8[\"ab\", null, null]");
  // Bytes are not text.
  const Admitted binary({.format = "z", .name = "x"}, column);
  EXPECT_EQ(binary.column().buffers[1], offsets);
}

TEST(MendTest, LargeTextToo) {
  const int64_t offsets[] = {0, 2, 4, 7};
  const uint8_t bitmap[] = {0b101};
  const Spec spec{.format = "U", .name = "x"};
  const Admitted admitted(spec, {.length = 3,
                                 .buffers = {bitmap, offsets, "ab\xff\xfe\xe2\x82\xac"},
                                 .null_count = 1});
  EXPECT_EQ(*Describe(*Make(spec), admitted.column()), "LargeUtf8[\"ab\", null, \"€\"]");
}

TEST(MendTest, BytesThatNoRowHasAreNotText) {
  // Before the first offset, after the last, and between views.
  const int32_t offsets[] = {2, 4, 4};
  const Spec spec{.format = "u", .name = "x"};
  const RawArray column{.length = 2,
                        .buffers = {nullptr, offsets,
                                    "\xff\xff"
                                    "ab\xff"}};
  const Admitted admitted(spec, column);
  EXPECT_TRUE(admitted.status().ok());
  EXPECT_EQ(admitted.column().buffers[1], offsets);

  const char gaps[] =
      "\xff"
      "abcdefghijklmnop\xff";
  const int64_t size[] = {18};
  const View view{16, {'a', 'b', 'c', 'd'}, 0, 1};
  const Admitted views(
      {.format = "vu", .name = "x"},
      {.length = 1, .buffers = {nullptr, &view, gaps, size}, .null_count = 0});
  EXPECT_TRUE(views.status().ok()) << views.status().fault().text;
  EXPECT_EQ(views.column().buffers[1], &view);
}

TEST(MendTest, IndicesBelowNullsBecomeTheFirst) {
  const Spec values{.format = "i", .name = ""};
  const RawArray numbers{.length = 2, .buffers = {nullptr, testing::Zeros()}};
  const int8_t narrow[] = {1, 99, -1, 0};
  const uint64_t wide[] = {1, ~uint64_t{0}, 77, 0};
  const uint8_t bitmap[] = {0b1001};
  const auto admit = [&](const char* format, const void* indices, Checks checks) {
    return Admitted({.format = format, .name = "x", .dictionary = {values}},
                    {.length = 4,
                     .buffers = {bitmap, indices},
                     .dictionary = {numbers},
                     .null_count = 2},
                    checks);
  };
  for (const Checks checks : {kTrusted, Checks(Level::kSafe)}) {
    const Admitted small = admit("c", narrow, checks);
    ASSERT_TRUE(small.status().ok()) << small.status().fault().text;
    EXPECT_EQ(small.At<int8_t>(1, 0), 1);
    EXPECT_EQ(small.At<int8_t>(1, 1), 0);
    EXPECT_EQ(small.At<int8_t>(1, 2), 0);
    const Admitted large = admit("L", wide, checks);
    ASSERT_TRUE(large.status().ok()) << large.status().fault().text;
    EXPECT_EQ(large.At<uint64_t>(1, 0), 1U);
    EXPECT_EQ(large.At<uint64_t>(1, 1), 0U);
  }
}

TEST(MendTest, MisalignedNumbersOfEveryTypeAreCopied) {
  alignas(64) static constexpr unsigned char kZeros[4096] = {};
  for (const RawColumn& kind : EveryRawColumn()) {
    SCOPED_TRACE(kind.spec.name);
    RawArray column = kind.array;
    if (column.length == 0) continue;
    bool moved = false;
    for (size_t i = 1; i < column.buffers.size() && i < 3; ++i) {
      const bool numbers = i == 1 || kind.spec.format.starts_with("+vl") ||
                           kind.spec.format.starts_with("+vL");
      if (column.buffers[i] == testing::Zeros() && numbers) {
        column.buffers[i] = kZeros + 1;
        moved = true;
      }
    }
    Admitted admitted(kind.spec, column);
    ASSERT_TRUE(admitted.status().ok()) << admitted.status().fault().text;
    if (!moved) continue;
    const bool copied = admitted.column().buffers[1] != kZeros + 1;
    if (copied) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(admitted.column().buffers[1]) % 16, 0U);
    } else {
      const std::string format = kind.spec.format;
      EXPECT_TRUE(format == "c" || format == "C" || format == "b" ||
                  format.starts_with("w:"))
          << format;
    }
    // Whoever does not trust its values reads them at any place.
    const Admitted plain(kind.spec, column, Level::kFull);
    EXPECT_EQ(plain.column().buffers[1], column.buffers[1]);
  }
}

TEST(MendTest, WhatIsBelowAColumnIsMendedWhole) {
  const uint8_t bitmap[] = {0b0101};
  const std::vector<View> views = {kGood, {9, {}, 3, 3}, kGood, {20, {}, 3, 3}};
  const int32_t offsets[] = {1, 2, 3};
  const Spec item{.format = "vu", .name = "item"};
  const Admitted list(
      {.format = "+l", .name = "x", .children = {item}},
      {.length = 2, .buffers = {nullptr, offsets}, .children = {Views(views, bitmap)}});
  ASSERT_TRUE(list.status().ok()) << list.status().fault().text;
  const ArrowArray& below = *list.column().children[0];
  ASSERT_EQ(below.length, 4);
  for (const int64_t row : {1, 3})
    EXPECT_EQ(LoadValue<int32_t>(below.buffers[1], 4 * row), 0);
  for (const int64_t row : {0, 2})
    EXPECT_EQ(LoadValue<int32_t>(below.buffers[1], 4 * row), 20);
}

TEST(MendTest, WhatNeedsNoRepairIsNotCopied) {
  for (const RawColumn& kind : EveryRawColumn()) {
    SCOPED_TRACE(kind.spec.name);
    OwnedArray batch = Make(RawRows(kind.array.length, {kind.array}));
    ArrowArray before;
    std::memcpy(&before, batch.get(), sizeof(before));
    const auto layout = Layout::OfBatch(*Make(BatchOf({kind.spec})));
    ASSERT_TRUE(AdmitBatch(*layout, kTrusted, batch.get()).ok());
    EXPECT_EQ(std::memcmp(&before, batch.get(), sizeof(before)), 0);
  }
}

}  // namespace
}  // namespace alloy::core
