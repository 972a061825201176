// SPDX-License-Identifier: MIT
#include "gate/rows.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "alloy/testing/raw.hpp"
#include "gate/shape.h"

namespace alloy::core {
namespace {

using testing::EveryRawColumn;
using testing::Make;
using testing::RawArray;
using testing::RawColumn;
using testing::RawFixed;
using testing::RawRows;
using testing::Spec;
using testing::Zeros;

// Values that live as long as the test program.
template <typename T>
const T* Keep(std::vector<T> values) {
  static std::vector<std::unique_ptr<std::vector<T>>> kept;
  kept.push_back(std::make_unique<std::vector<T>>(std::move(values)));
  return kept.back()->data();
}

Status Check(Level level, const Spec& schema, const RawArray& value) {
  const auto layout = Layout::Of(*Make(schema));
  EXPECT_TRUE(layout.ok());
  const OwnedArray array = Make(value);
  const Status shape = CheckShape(*layout, *array);
  EXPECT_TRUE(shape.ok()) << shape.fault().text;
  EXPECT_TRUE(CheckRows(*layout, Level::kShape, *array).ok());
  return CheckRows(*layout, level, *array);
}

Status Safe(const Spec& schema, const RawArray& value) {
  return Check(Level::kSafe, schema, value);
}

Status Full(const Spec& schema, const RawArray& value) {
  return Check(Level::kFull, schema, value);
}

void ExpectOk(const Status& status) { EXPECT_TRUE(status.ok()) << status.fault().text; }

void ExpectFault(const Status& status, int32_t reason, int32_t column,
                 std::string_view text) {
  ASSERT_FALSE(status.ok()) << text;
  EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
  EXPECT_EQ(status.reason(), reason) << status.fault().text;
  EXPECT_EQ(status.fault().column, column) << status.fault().text;
  EXPECT_NE(status.fault().text.find(text), std::string::npos) << status.fault().text;
}

const Spec kInt{.format = "i", .name = "item"};
const Spec kUtf8{.format = "u", .name = "text"};
const Spec kLargeUtf8{.format = "U", .name = "text"};

template <typename T>
RawArray Strings(std::vector<T> offsets, const void* bytes = Zeros()) {
  const auto length = static_cast<int64_t>(offsets.size()) - 1;
  return {.length = length, .buffers = {nullptr, Keep(std::move(offsets)), bytes}};
}

RawArray Sliced(RawArray array, int64_t offset, int64_t length) {
  array.offset = offset;
  array.length = length;
  return array;
}

RawArray WithNulls(RawArray array, std::vector<uint8_t> bitmap, int64_t null_count = -1) {
  array.null_count = null_count;
  array.buffers[0] = Keep(std::move(bitmap));
  return array;
}

TEST(RowsTest, PassesASampleOfEveryType) {
  for (const RawColumn& kind : EveryRawColumn()) {
    SCOPED_TRACE(kind.spec.name);
    for (const Level level : {Level::kSafe, Level::kFull}) {
      ExpectOk(Check(level, kind.spec, kind.array));
      ExpectOk(Check(level, testing::BatchOf({kInt, kind.spec}),
                     RawRows(kind.array.length, {RawFixed(4), kind.array})));
    }
  }
}

TEST(RowsTest, OffsetsNeverFall) {
  const RawArray good = Strings<int32_t>({0, 5, 5, 9});
  ExpectOk(Safe(kUtf8, good));
  ExpectFault(Safe(kUtf8, Strings<int32_t>({0, 5, 4, 9})), ALLOY_REASON_OFFSETS, -1,
              "row 1: the offsets decrease from 5 to 4");
  ExpectFault(Safe(kLargeUtf8, Strings<int64_t>({0, 5, 4, 9})), ALLOY_REASON_OFFSETS, -1,
              "row 1: the offsets decrease from 5 to 4");
  ExpectFault(Safe(kUtf8, Strings<int32_t>({0, -5, 4, 9})), ALLOY_REASON_OFFSETS, -1,
              "row 0: the offsets decrease from 0 to -5");
  ExpectFault(Safe({.format = "z"}, Strings<int32_t>({0, 100, 9})), ALLOY_REASON_OFFSETS,
              -1, "row 1: the offsets decrease from 100 to 9");
  // The difference of two offsets may wrap, and the fault is found all the same.
  constexpr int32_t kMost = 2147483647;
  ExpectFault(Safe(kUtf8, Strings<int32_t>({0, kMost, -kMost, 3})), ALLOY_REASON_OFFSETS,
              -1, "row 2: expected an offset of at least 0, found -2147483647");
}

TEST(RowsTest, AFaultIsFoundInEachRowOfALongColumn) {
  constexpr int64_t kRows = 2 * 1024 + 37;
  for (const int64_t row : {int64_t{0}, int64_t{1}, int64_t{1022}, int64_t{1023},
                            int64_t{1024}, int64_t{2047}, kRows - 3}) {
    SCOPED_TRACE(row);
    std::vector<int32_t> offsets;
    for (int32_t i = 0; i <= kRows; ++i) offsets.push_back(i);
    offsets[static_cast<size_t>(row + 1)] = static_cast<int32_t>(kRows);
    ExpectFault(Safe(kUtf8, Strings(offsets)), ALLOY_REASON_OFFSETS, -1,
                "row " + std::to_string(row + 1));
    std::vector<int16_t> indices(kRows, 2);
    indices[static_cast<size_t>(row)] = 3;
    RawArray index{.length = kRows, .buffers = {nullptr, Keep(indices)}};
    index.dictionary = {RawFixed(3)};
    ExpectFault(Safe({.format = "s", .dictionary = {kInt}}, index), ALLOY_REASON_INDEX,
                -1,
                "row " + std::to_string(row) +
                    ": the index is 3, but the dictionary has 3 values");
  }
}

TEST(RowsTest, ASliceIsJudgedByItsOwnRows) {
  const RawArray whole = Strings<int32_t>({0, 9, 3, 5, 4, 9});
  ExpectOk(Safe(kUtf8, Sliced(whole, 2, 1)));
  ExpectFault(Safe(kUtf8, Sliced(whole, 2, 3)), ALLOY_REASON_OFFSETS, -1, "row 1");
  // Of a longer column only the rows of the batch are checked.
  ExpectOk(Safe(testing::BatchOf({kUtf8}), RawRows(1, {Sliced(whole, 2, 3)})));
  RawArray batch = RawRows(1, {whole});
  batch.offset = 1;
  ExpectFault(Safe(testing::BatchOf({kUtf8}), batch), ALLOY_REASON_OFFSETS, 0, "row 1: ");
  batch.offset = 2;
  ExpectOk(Safe(testing::BatchOf({kUtf8}), batch));
}

TEST(RowsTest, APartOfTextEndsWhereTheWholeDoes) {
  // The only row has increasing offsets, but more bytes than the column.
  const RawArray whole = Strings<int32_t>({0, 100, 7, 9});
  ExpectFault(Safe(testing::BatchOf({kUtf8}), RawRows(1, {whole})), ALLOY_REASON_OFFSETS,
              0, "row 0: the row ends at offset 100, but there are only 9 bytes");
}

TEST(RowsTest, TheOffsetBehindTheRowsOfABatchIsNotNegative) {
  // The offset is so far below the one before it that the difference wraps.
  const RawArray small = Strings<int32_t>({0, 1583218698, -1040656802, 28});
  ExpectFault(Safe(testing::BatchOf({kUtf8}), RawRows(2, {small})), ALLOY_REASON_OFFSETS,
              0, "row 1: the offsets decrease from 1583218698 to -1040656802");
  constexpr int64_t kFar = 6'000'000'000'000'000'000;
  const RawArray large = Strings<int64_t>({0, kFar, -kFar, 28});
  ExpectFault(Safe(testing::BatchOf({kLargeUtf8}), RawRows(2, {large})),
              ALLOY_REASON_OFFSETS, 0, "row 1: ");
  ExpectFault(Full(testing::BatchOf({kLargeUtf8}), RawRows(2, {large})),
              ALLOY_REASON_OFFSETS, 0, "row 1: ");
}

TEST(RowsTest, ListsStayInTheirChild) {
  const auto list = [](std::vector<int32_t> offsets, int64_t length) {
    const int32_t* kept = Keep(std::move(offsets));
    return RawArray{
        .length = length, .buffers = {nullptr, kept}, .children = {RawFixed(9)}};
  };
  const Spec schema{.format = "+l", .children = {kInt}};
  ExpectOk(Safe(schema, list({0, 5, 9}, 2)));
  ExpectFault(Safe(schema, list({0, 90, 9}, 2)), ALLOY_REASON_OFFSETS, -1, "row 1");
  ExpectFault(Safe(testing::BatchOf({schema}), RawRows(1, {list({0, 90, 9}, 2)})),
              ALLOY_REASON_OFFSETS, 0,
              "row 0: the row ends at offset 90, but there are only 9 rows");
}

// Rows of a child that no row of the parent reaches are checked only at level full.
TEST(RowsTest, LevelSafeChecksOnlyTheRowsOfAChildThatCanBeReached) {
  struct Sample {
    const char* title;
    Spec schema;
    RawArray good;
    RawArray bad;
  };
  // Rows 2 and 3 are right.
  const RawArray text = Strings<int32_t>({0, 9, 3, 4, 5, 1, 9});
  const int32_t* offsets = Keep<int32_t>({2, 3, 4, 5});
  const int32_t* sizes = Keep<int32_t>({1, 1, 1, 1});
  const auto list = [&](int64_t length) {
    return RawArray{.length = length, .buffers = {nullptr, offsets}, .children = {text}};
  };
  const auto list_view = [&](int64_t length) {
    return RawArray{
        .length = length, .buffers = {nullptr, offsets, sizes}, .children = {text}};
  };
  const auto fixed = [&](int64_t length) {
    return RawArray{
        .length = length, .buffers = {nullptr}, .children = {text}, .offset = 1};
  };
  const auto structs = [&](int64_t length) {
    return Sliced(RawRows(0, {text}), 2, length);
  };
  const auto sparse = [&](int64_t length) {
    return RawArray{
        .length = length, .buffers = {Zeros()}, .children = {text}, .offset = 2};
  };
  const auto dense = [&](int64_t length) {
    return RawArray{.length = length, .buffers = {Zeros(), offsets}, .children = {text}};
  };
  const int32_t* ends = Keep<int32_t>({1, 2, 3, 4, 5, 6});
  const auto runs = [&](int64_t length) {
    return RawArray{.length = length,
                    .children = {{.length = 6, .buffers = {nullptr, ends}}, text},
                    .offset = 2};
  };
  const std::vector<Sample> samples = {
      {"list", {.format = "+l", .children = {kUtf8}}, list(2), list(3)},
      {"list view", {.format = "+vl", .children = {kUtf8}}, list_view(2), list_view(3)},
      {"fixed-size list", {.format = "+w:2", .children = {kUtf8}}, fixed(1), fixed(2)},
      {"sparse union", {.format = "+us:0", .children = {kUtf8}}, sparse(2), sparse(3)},
      {"dense union", {.format = "+ud:0", .children = {kUtf8}}, dense(2), dense(3)},
      {"struct", {.format = "+s", .children = {kUtf8}}, structs(2), structs(3)},
      {"run ends",
       {.format = "+r", .children = {{.format = "i"}, kUtf8}},
       runs(2),
       runs(3)},
  };
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.title);
    const int32_t text_column = std::string_view(sample.title) == "run ends" ? 2 : 1;
    const Spec batch = testing::BatchOf({sample.schema});
    const auto in_batch = [&](const RawArray& column) {
      return RawRows(column.length, {column});
    };
    ExpectOk(Safe(batch, in_batch(sample.good)));
    ExpectFault(Safe(batch, in_batch(sample.bad)), ALLOY_REASON_OFFSETS, text_column,
                "(#0.text)");
    ExpectFault(Full(batch, in_batch(sample.good)), ALLOY_REASON_OFFSETS, text_column,
                "(#0.text)");
    // Without rows no row of the child is reached.
    RawArray none = sample.good;
    none.length = 0;
    ExpectOk(Safe(batch, in_batch(none)));
    ExpectFault(Full(batch, in_batch(none)), ALLOY_REASON_OFFSETS, text_column,
                "(#0.text)");
  }
}

TEST(RowsTest, ListViewsStayInTheirChild) {
  const auto check = [](std::vector<int32_t> offsets, std::vector<int32_t> sizes) {
    const RawArray small{.length = 2,
                         .buffers = {nullptr, Keep(offsets), Keep(sizes)},
                         .children = {RawFixed(9)}};
    const Status status = Safe({.format = "+vl", .children = {kInt}}, small);
    const std::vector<int64_t> wide(offsets.begin(), offsets.end());
    const std::vector<int64_t> wide_sizes(sizes.begin(), sizes.end());
    const RawArray large{.length = 2,
                         .buffers = {nullptr, Keep(wide), Keep(wide_sizes)},
                         .children = {RawFixed(9)}};
    EXPECT_EQ(Safe({.format = "+vL", .children = {kInt}}, large).reason(),
              status.reason());
    return status;
  };
  ExpectOk(check({5, 0}, {4, 9}));
  ExpectOk(check({9, 3}, {0, 3}));
  constexpr int32_t kMost = 2147483647;
  constexpr int32_t kLeast = -kMost - 1;
  for (const auto& [offset, size] :
       std::vector<std::pair<int32_t, int32_t>>{{6, 4},
                                                {10, 0},
                                                {-1, 2},
                                                {0, -1},
                                                {0, 10},
                                                {kMost, kMost},
                                                {kLeast, kMost},
                                                {kMost, kLeast},
                                                {kLeast, kLeast},
                                                {5, kMost},
                                                {kMost, 5},
                                                {-9, 9}}) {
    ExpectFault(check({0, offset}, {0, size}), ALLOY_REASON_LIST_VIEW, -1,
                "row 1: the list view has offset " + std::to_string(offset) +
                    " and size " + std::to_string(size) + ", but the child has 9 rows");
  }
  // "Every list-view value, including null values".
  const RawArray null = WithNulls({.length = 1,
                                   .buffers = {nullptr, Keep<int32_t>({10}), Zeros()},
                                   .children = {RawFixed(9)}},
                                  {0});
  EXPECT_EQ(Safe({.format = "+vl", .children = {kInt}}, null).reason(),
            ALLOY_REASON_LIST_VIEW);
}

TEST(RowsTest, ListViewsOfAChildOfMoreThan32Bits) {
  constexpr int64_t kRows = int64_t{3} << 30;
  constexpr int32_t kMost = 2147483647;
  const auto check = [&](int32_t offset, int32_t size) {
    return Safe({.format = "+vl", .children = {{.format = "n"}}},
                {.length = 1,
                 .buffers = {nullptr, Keep<int32_t>({offset}), Keep<int32_t>({size})},
                 .children = {{.length = kRows, .null_count = kRows}}});
  };
  ExpectOk(check(kMost, 1 << 30));
  EXPECT_EQ(check(kMost, kMost).reason(), ALLOY_REASON_LIST_VIEW);
  EXPECT_EQ(check(-1, 1).reason(), ALLOY_REASON_LIST_VIEW);
}

template <typename T>
void CheckIndices(const char* format, std::vector<T> good, std::vector<T> invalid,
                  int64_t n_values) {
  SCOPED_TRACE(format);
  const Spec schema{.format = format, .dictionary = {{.format = "n"}}};
  const auto with = [&](std::vector<T> indices) {
    RawArray array{.length = static_cast<int64_t>(indices.size()),
                   .buffers = {nullptr, Keep(std::move(indices))}};
    array.dictionary = {{.length = n_values, .null_count = n_values}};
    return array;
  };
  ExpectOk(Safe(schema, with(good)));
  for (const T index : invalid) {
    const RawArray bad = with({good[0], index, good[0]});
    ExpectFault(Safe(schema, bad), ALLOY_REASON_INDEX, -1,
                "row 1: the index is " + std::to_string(index) + ", ");
    // The index of a null row is not checked, in a slice either.
    ExpectOk(Safe(schema, WithNulls(bad, {0b101})));
    ExpectOk(Safe(schema, WithNulls(bad, {0b101}, 1)));
    ExpectOk(Safe(schema, Sliced(WithNulls(bad, {0b101}), 1, 2)));
    EXPECT_FALSE(Safe(schema, Sliced(WithNulls(bad, {0b110}), 1, 2)).ok());
    // With a null count of 0 the bitmap is ignored: no row is null.
    EXPECT_FALSE(Safe(schema, WithNulls(bad, {0b101}, 0)).ok());
  }
}

TEST(RowsTest, IndicesAreThoseOfTheDictionary) {
  constexpr int64_t kMany = int64_t{1} << 40;
  constexpr auto kMost64 = std::numeric_limits<int64_t>::max();
  constexpr auto kMost32 = std::numeric_limits<int32_t>::max();
  CheckIndices<int8_t>("c", {0, 99}, {100, 127, -1, -128}, 100);
  CheckIndices<uint8_t>("C", {0, 99}, {100, 127, 128, 255}, 100);
  CheckIndices<uint8_t>("C", {0, 127, 128, 199}, {200, 255}, 200);
  CheckIndices<uint8_t>("C", {0, 127, 128, 255}, {}, 1000);
  CheckIndices<int16_t>("s", {0, 99}, {100, 32767, -1, -32768}, 100);
  CheckIndices<int16_t>("s", {0, 32767}, {-1, -32768}, 65536);
  CheckIndices<uint16_t>("S", {0, 99}, {100, 32768, 65535}, 100);
  CheckIndices<uint16_t>("S", {0, 49999}, {50000, 65535}, 50000);
  CheckIndices<int32_t>("i", {0, 99}, {100, kMost32, -1, -kMost32 - 1}, 100);
  CheckIndices<int32_t>("i", {0, kMost32}, {-1}, kMany);
  CheckIndices<uint32_t>("I", {0, 99}, {100, 1U << 31, ~0U}, 100);
  CheckIndices<uint32_t>("I", {0, 3U << 30}, {(3U << 30) + 1, ~0U},
                         (int64_t{3} << 30) + 1);
  CheckIndices<int64_t>("l", {0, kMany - 1}, {kMany, kMost64, -1, -kMost64 - 1}, kMany);
  CheckIndices<uint64_t>("L", {0, 99}, {100, 1ULL << 63, ~0ULL}, 100);
  const Spec schema{.format = "c", .dictionary = {kUtf8}};
  RawArray empty = RawFixed(1);
  empty.dictionary = {Strings<int32_t>({0})};
  ExpectFault(Safe(schema, empty), ALLOY_REASON_INDEX, -1,
              "row 0: the index is 0, but the dictionary has 0 values");
  empty.length = 0;
  ExpectOk(Safe(schema, empty));
}

TEST(RowsTest, TheValuesOfADictionaryAreJudged) {
  const Spec schema{.format = "c", .dictionary = {kUtf8}};
  RawArray array = RawFixed(1);
  array.dictionary = {Strings<int32_t>({0, 5, 4, 9})};
  ExpectFault(Safe(testing::BatchOf({schema}), RawRows(1, {array})), ALLOY_REASON_OFFSETS,
              1, "column 1 (#0.dictionary)");
  array.dictionary = {Strings<int32_t>({0, 2, 4}, "ab\xff\xfe")};
  ExpectOk(Safe(schema, array));
  ExpectFault(Full(schema, array), ALLOY_REASON_UTF8, 0, "row 1: ");
}

TEST(RowsTest, TypeIdsAreThoseOfTheUnion) {
  const auto check = [](const char* format, std::vector<int8_t> ids) {
    const auto rows = static_cast<int64_t>(ids.size());
    const RawArray sparse{.length = rows,
                          .buffers = {Keep(ids)},
                          .children = {RawFixed(rows), RawFixed(rows)}};
    const Status status =
        Safe({.format = std::string("+us:") + format, .children = {kInt, kInt}}, sparse);
    const RawArray dense{.length = rows,
                         .buffers = {Keep(ids), Zeros()},
                         .children = {RawFixed(1), RawFixed(1)}};
    EXPECT_EQ(
        Safe({.format = std::string("+ud:") + format, .children = {kInt, kInt}}, dense)
            .reason(),
        status.reason());
    return status;
  };
  ExpectOk(check("0,1", {0, 1, 1}));
  ExpectOk(check("1,0", {0, 1, 1}));
  ExpectOk(check("7,127", {7, 127}));
  for (const int8_t id : {2, 127, -1, -128}) {
    ExpectFault(check("0,1", {0, id}), ALLOY_REASON_TYPE_ID, -1,
                "row 1: the union has no type id " + std::to_string(id));
  }
  for (const int8_t id : {0, 6, 8, 126, -1, -128, -121}) {
    EXPECT_EQ(check("7,127", {7, id}).reason(), ALLOY_REASON_TYPE_ID) << int{id};
  }
  ExpectFault(Safe({.format = "+us:"}, {.length = 1, .buffers = {Zeros()}}),
              ALLOY_REASON_TYPE_ID, -1, "the union has no type id");
}

TEST(RowsTest, OffsetsOfADenseUnionStayInTheirChild) {
  const auto check = [](std::vector<int8_t> ids, std::vector<int32_t> offsets) {
    const auto rows = static_cast<int64_t>(ids.size());
    return Safe({.format = "+ud:5,3", .children = {kInt, kInt}},
                {.length = rows,
                 .buffers = {Keep(ids), Keep(offsets)},
                 .children = {RawFixed(2), RawFixed(4)}});
  };
  ExpectOk(check({5, 3, 5, 3}, {0, 3, 1, 0}));
  ExpectFault(check({5, 3, 5}, {0, 3, 2}), ALLOY_REASON_UNION_OFFSET, -1,
              "row 2: the offset is 2, but the child has 2 rows");
  ExpectFault(check({3, 3}, {0, 4}), ALLOY_REASON_UNION_OFFSET, -1,
              "the child has 4 rows");
  ExpectFault(check({5}, {-1}), ALLOY_REASON_UNION_OFFSET, -1, "row 0: the offset is -1");
  ExpectFault(check({5}, {-2147483647 - 1}), ALLOY_REASON_UNION_OFFSET, -1, "row 0");
}

template <typename T>
void CheckRunEnds(const char* format) {
  SCOPED_TRACE(format);
  const auto check = [&](std::vector<T> ends) {
    const auto runs = static_cast<int64_t>(ends.size());
    return Safe(
        {.format = "+r", .children = {{.format = format}, kInt}},
        {.length = 5,
         .children = {{.length = runs, .buffers = {nullptr, Keep(std::move(ends))}},
                      RawFixed(runs)}});
  };
  ExpectOk(check({5}));
  ExpectOk(check({1, 2, 9}));
  ExpectFault(check({1, 1, 5}), ALLOY_REASON_RUN_ENDS, 0,
              "row 1: expected a run end above 1, found 1");
  ExpectFault(check({4, 3, 5}), ALLOY_REASON_RUN_ENDS, 0,
              "row 1: expected a run end above 4, found 3");
  ExpectFault(check({0, 5}), ALLOY_REASON_RUN_ENDS, 0,
              "row 0: expected a run end above 0, found 0");
  ExpectFault(check({-4, 5}), ALLOY_REASON_RUN_ENDS, 0,
              "row 0: expected a run end above 0, found -4");
  constexpr T kLeast = std::numeric_limits<T>::min();
  ExpectFault(check({1, kLeast, 5}), ALLOY_REASON_RUN_ENDS, 0,
              "row 1: expected a run end above 1, found ");
}

TEST(RowsTest, RunEndsRise) {
  CheckRunEnds<int16_t>("s");
  CheckRunEnds<int32_t>("i");
  CheckRunEnds<int64_t>("l");
}

struct View {
  int32_t length = 0;
  char prefix[4] = {};
  int32_t buffer = 0;
  int32_t offset = 0;
};

View Inline(std::string_view text) {
  View view{.length = static_cast<int32_t>(text.size())};
  std::memcpy(view.prefix, text.data(), text.size());
  return view;
}

constexpr char kLong[] = "abcdefghijklmnopqrstuvwxyz";

RawArray Views(std::vector<View> views, const char* text = kLong) {
  const auto rows = static_cast<int64_t>(views.size());
  return {
      .length = rows,
      .buffers = {nullptr, Keep(std::move(views)), text, text, Keep<int64_t>({26, 20})}};
}

View Far(int32_t length, int32_t buffer, int32_t offset) {
  return {length, {'a', 'b', 'c', 'd'}, buffer, offset};
}

TEST(RowsTest, ViewsStayInTheirBuffers) {
  const Spec schema{.format = "vu"};
  ExpectOk(Safe(schema, Views({Inline(""), Inline("abcdefghijkl"), Far(26, 0, 0),
                               Far(20, 1, 0), Far(13, 0, 13)})));
  constexpr int32_t kMost = 2147483647;
  for (const View& view :
       {Far(-1, 0, 0), Far(-kMost - 1, 0, 0), Far(13, -1, 0), Far(13, 2, 0),
        Far(13, kMost, 0), Far(13, 0, 14), Far(13, 0, -1), Far(21, 1, 0),
        Far(kMost, 0, kMost), Far(13, 0, kMost)}) {
    const RawArray bad = Views({Inline("a"), view, Inline("b")});
    ExpectFault(Safe(schema, bad), ALLOY_REASON_VIEW, -1,
                view.length < 0 ? "row 1: expected a view length of at least 0, found -"
                                : "row 1: the view points outside its 2 buffers");
    ExpectFault(Safe({.format = "vz"}, bad), ALLOY_REASON_VIEW, -1, "row 1");
    ExpectOk(Safe(schema, WithNulls(bad, {0b101})));
    ExpectOk(Full(schema, WithNulls(bad, {0b101}, 1)));
    ExpectOk(Safe(schema, Sliced(bad, 2, 1)));
  }
  const RawArray none{.length = 1,
                      .buffers = {nullptr, Keep<View>({Far(13, 0, 0)}), Zeros()}};
  ExpectFault(Safe(schema, none), ALLOY_REASON_VIEW, -1,
              "the view points outside its 0 buffers");
}

TEST(RowsTest, PrefixesAndPaddingOfViewsAreThoseOfTheirText) {
  for (const char* format : {"vu", "vz"}) {
    const Spec schema{.format = format};
    View padded = Inline("ab");
    padded.offset = 1;
    View prefix = Far(20, 1, 0);
    prefix.prefix[3] = 'x';
    for (const View& view : {padded, prefix}) {
      ExpectOk(Safe(schema, Views({Inline(""), view})));
      ExpectFault(Full(schema, Views({Inline(""), view})), ALLOY_REASON_VIEW_PREFIX, -1,
                  "row 1: ");
      ExpectOk(Full(schema, WithNulls(Views({Inline(""), view}), {0b01})));
    }
    ExpectOk(Full(schema, Views({Inline(""), Inline("abcdefghijkl"), Far(20, 1, 0)})));
  }
}

TEST(RowsTest, TextOfViewsIsUtf8) {
  const auto views = [](const char* text) {
    View view = Far(20, 1, 0);
    std::memcpy(view.prefix, text, 4);
    return Views({view}, text);
  };
  const char* good = "abc\xc3\xa5 and more of it too";
  const char* bad = "abcd and more\xff of it too";
  ExpectOk(Full({.format = "vu"}, views(good)));
  ExpectFault(Full({.format = "vu"}, views(bad)), ALLOY_REASON_UTF8, -1, "row 0: ");
  ExpectOk(Full({.format = "vz"}, views(bad)));
  ExpectFault(Full({.format = "vu"}, Views({Inline("a\xc3")})), ALLOY_REASON_UTF8, -1,
              "row 0: ");
}

TEST(RowsTest, TextIsUtf8) {
  const std::string ascii(200, 'a');
  const auto check = [](const std::string& text, std::vector<int32_t> offsets) {
    const char* bytes = Keep(std::vector<char>(text.begin(), text.end()));
    const std::vector<int64_t> wide(offsets.begin(), offsets.end());
    const Status status = Full(kUtf8, Strings(offsets, bytes));
    EXPECT_EQ(Full(kLargeUtf8, Strings(wide, bytes)).reason(), status.reason());
    ExpectOk(Safe(kUtf8, Strings(offsets, bytes)));
    ExpectOk(Full({.format = "z"}, Strings(offsets, bytes)));
    return status;
  };
  ExpectOk(check(ascii, {0, 100, 200}));
  ExpectOk(check("\xc3\xa5\xe2\x82\xac\xf0\x9f\x98\x80", {0, 2, 5, 9}));
  ExpectOk(check(ascii + "\xc3\xa5" + ascii + "\xe2\x82\xac", {0, 200, 202, 405}));
  // The two bytes are UTF-8 together, but each row has only one of them.
  ExpectFault(check("\xc3\xa5", {0, 1, 2}), ALLOY_REASON_UTF8, -1,
              "row 0: the text is not UTF-8");
  ExpectFault(check(ascii + "\xf0\x9f\x98\x80", {0, 202, 204}), ALLOY_REASON_UTF8, -1,
              "row 0: ");
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff"}) {
    const std::string text = bad;
    const auto end = static_cast<int32_t>(200 + text.size());
    ExpectFault(check(ascii + text + ascii, {0, 200, end, end + 200}), ALLOY_REASON_UTF8,
                -1, "row 1: ");
  }
  // The bytes of null rows are not checked, before and after the other rows.
  RawArray array = Strings<int32_t>({0, 1, 3, 4, 4}, "\xffok\xff");
  ExpectOk(Full(kUtf8, WithNulls(array, {0b1010})));
  ExpectOk(Full(kUtf8, Sliced(array, 1, 1)));
  EXPECT_EQ(Full(kUtf8, WithNulls(array, {0b0110})).reason(), ALLOY_REASON_UTF8);
  ExpectOk(Full(kUtf8, {.length = 2, .buffers = {nullptr, Zeros(), nullptr}}));
}

TEST(RowsTest, ANullCountIsThatOfTheBitmapAtLevelFull) {
  std::vector<uint8_t> bitmap(40, 0xFF);
  bitmap[1] = 0xF0;
  bitmap[20] = 0xFE;
  const auto check = [&](int64_t offset, int64_t length, int64_t nulls) {
    RawArray array = Sliced(WithNulls(RawFixed(0), bitmap, nulls), offset, length);
    ExpectOk(Safe(kInt, array));
    return Full(kInt, array);
  };
  ExpectOk(check(0, 320, 5));
  ExpectOk(check(3, 300, 5));
  ExpectOk(check(10, 300, 3));
  ExpectOk(check(10, 5, 2));
  ExpectOk(check(161, 100, 0));
  ExpectOk(check(0, 320, -1));
  ExpectFault(check(0, 320, 4), ALLOY_REASON_NULL_COUNT, -1,
              "the null count is 4, but the validity bitmap has 5 nulls");
  ExpectFault(check(0, 320, 0), ALLOY_REASON_NULL_COUNT, -1,
              "the null count is 0, but the validity bitmap has 5 nulls");
}

TEST(RowsTest, ChecksNestedArraysDownToTheDeepestLevel) {
  Spec schema = kUtf8;
  RawArray good = Strings<int32_t>({0, 1, 2, 9});
  RawArray bad = Strings<int32_t>({0, 1, 9, 2});
  bad.length = 3;
  bad.buffers[1] = Keep<int32_t>({0, 7, 2, 9});
  const int32_t* offsets = Keep<int32_t>({0, 1, 2, 3});
  for (int depth = 0; depth < 60; ++depth) {
    const bool list = depth % 2 == 0;
    schema = {.format = list ? "+l" : "+s", .children = {schema}};
    const auto wrap = [&](RawArray child) {
      if (!list) return RawRows(3, {std::move(child)});
      return RawArray{
          .length = 3, .buffers = {nullptr, offsets}, .children = {std::move(child)}};
    };
    good = wrap(good);
    bad = wrap(bad);
  }
  const Spec batch = testing::BatchOf({schema});
  ExpectOk(Safe(batch, RawRows(3, {good})));
  ExpectOk(Full(batch, RawRows(3, {good})));
  ExpectFault(Safe(batch, RawRows(3, {bad})), ALLOY_REASON_OFFSETS, 60, "row 1");
  ExpectFault(Full(batch, RawRows(3, {bad})), ALLOY_REASON_OFFSETS, 60, "row 1");
}

TEST(RowsTest, AnArrayOfNoRowsNeedsNoBuffersAtAnyOffset) {
  const RawArray three{
      .buffers = {nullptr, nullptr, nullptr}, .children = {RawFixed(0)}, .offset = 3};
  const RawArray two{
      .buffers = {nullptr, nullptr}, .children = {RawFixed(9)}, .offset = 3};
  const RawArray one{.buffers = {nullptr}, .children = {RawFixed(9)}, .offset = 3};
  RawArray index{.buffers = {nullptr, nullptr}, .offset = 3};
  index.dictionary = {{.buffers = {nullptr, nullptr, nullptr}, .offset = 3}};
  for (const auto& [schema, array] : std::vector<std::pair<Spec, RawArray>>{
           {{.format = "+vl", .children = {kInt}}, three},
           {{.format = "+vL", .children = {kInt}}, three},
           {{.format = "+l", .children = {kInt}}, two},
           {{.format = "+ud:0", .children = {kInt}}, two},
           {{.format = "+us:0", .children = {kInt}}, one},
           {{.format = "+us:7", .children = {kInt}}, one},
           {{.format = "c", .dictionary = {kUtf8}}, index},
           {kUtf8, {.buffers = {nullptr, nullptr, nullptr}, .offset = 3}},
           {{.format = "vu"}, {.buffers = {nullptr, nullptr, nullptr}, .offset = 3}}}) {
    SCOPED_TRACE(schema.format);
    ExpectOk(Safe(schema, array));
    ExpectOk(Full(schema, array));
  }
}

TEST(RowsTest, BuffersMayLieAnywhere) {
  alignas(8) static char bytes[1 + 5 * sizeof(int64_t)];
  const int64_t offsets[] = {0, 3, 2, 7, 9};
  std::memcpy(bytes + 1, offsets, sizeof(offsets));
  ExpectFault(Safe(kLargeUtf8, {.length = 4, .buffers = {nullptr, bytes + 1, Zeros()}}),
              ALLOY_REASON_OFFSETS, -1, "row 1");
}

}  // namespace
}  // namespace alloy::core
