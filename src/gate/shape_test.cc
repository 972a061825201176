// SPDX-License-Identifier: MIT
#include "gate/shape.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "alloy/testing/raw.hpp"

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

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

using Poke = std::function<void(ArrowArray*)>;

Status Check(const Spec& schema, const RawArray& value, const Poke& poke = {}) {
  const auto layout = Layout::Of(*Make(schema));
  EXPECT_TRUE(layout.ok());
  OwnedArray array = Make(value);
  if (poke) poke(array.get());
  return CheckShape(*layout, *array);
}

void ExpectFault(const Status& status, int32_t reason, int32_t column,
                 std::string_view text) {
  SCOPED_TRACE(std::string(text));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
  EXPECT_EQ(status.reason(), reason);
  EXPECT_EQ(status.fault().column, column);
  EXPECT_NE(status.fault().text.find(text), std::string::npos) << status.fault().text;
}

void ExpectOk(const Status& status) {
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.fault().text);
}

const Spec kInt{.format = "i", .name = "a"};
const Spec kUtf8{.format = "u", .name = "a"};
const Spec kView{.format = "vu", .name = "a"};
const Spec kList{.format = "+l", .children = {kInt}};

RawArray Strings(int64_t length, const int32_t* offsets, const void* bytes = Zeros()) {
  return {.length = length, .buffers = {nullptr, offsets, bytes}};
}

TEST(ShapeTest, PassesASampleOfEveryType) {
  for (const RawColumn& kind : EveryRawColumn()) {
    SCOPED_TRACE(kind.spec.name);
    ExpectOk(Check(kind.spec, kind.array));
    ExpectOk(Check(testing::BatchOf({kInt, kind.spec}),
                   RawRows(kind.array.length, {RawFixed(4), kind.array})));
  }
}

// The fault in a single array, and in the second column of a batch.
void ExpectFaultOfKind(const RawColumn& kind, const Poke& poke, int32_t reason,
                       std::string_view text) {
  ExpectFault(Check(kind.spec, kind.array, poke), reason, -1, text);
  ExpectFault(Check(testing::BatchOf({kInt, kind.spec}),
                    RawRows(kind.array.length, {RawFixed(4), kind.array}),
                    [&](ArrowArray* batch) { poke(batch->children[1]); }),
              reason, 1, text);
}

TEST(ShapeTest, RefusesTheCommonFaultsInEveryType) {
  for (const RawColumn& kind : EveryRawColumn()) {
    SCOPED_TRACE(kind.spec.name);
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { OwnedArray(a).Release(); }, ALLOY_REASON_ARRAY_RELEASED,
        "the array is released");
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { a->length = -1; }, ALLOY_REASON_LENGTH,
        "expected a length of at least 0, found -1");
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { a->offset = -1; }, ALLOY_REASON_OFFSET,
        "expected an offset of at least 0, found -1");
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { a->null_count = -5; }, ALLOY_REASON_NULL_COUNT,
        "expected a null count of at least -1, found -5");
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { a->null_count = a->length + 1; },
        ALLOY_REASON_NULL_COUNT, "expected a null count of at most ");
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { a->n_children += 1; }, ALLOY_REASON_CHILD_COUNT,
        "found");
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { a->n_children = int64_t{1} << 40; },
        ALLOY_REASON_CHILD_COUNT, "found 1099511627776");
    const bool has = !kind.array.dictionary.empty();
    ExpectFaultOfKind(
        kind, [&](ArrowArray* a) { a->dictionary = has ? nullptr : a; },
        has ? ALLOY_REASON_DICTIONARY_MISSING : ALLOY_REASON_DICTIONARY_UNEXPECTED,
        "dictionary");
  }
}

TEST(ShapeTest, RefusesLengthsAndOffsetsThatOverflowInEveryType) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  for (const RawColumn& kind : EveryRawColumn()) {
    SCOPED_TRACE(kind.spec.name);
    for (const int64_t offset : {int64_t{2}, kMax - 2, kMax}) {
      const auto far = [offset](ArrowArray* a) {
        a->length = kMax - 1;
        a->offset = offset;
      };
      ExpectFaultOfKind(
          kind, far, ALLOY_REASON_OVERFLOW,
          "offset " + std::to_string(offset) + " and length 9223372036854775806");
    }
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { a->length = kMin; }, ALLOY_REASON_LENGTH,
        "found -9223372036854775808");
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { a->offset = kMin; }, ALLOY_REASON_OFFSET,
        "found -9223372036854775808");
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { a->null_count = kMin; }, ALLOY_REASON_NULL_COUNT,
        "found -9223372036854775808");
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { a->null_count = kMax; }, ALLOY_REASON_NULL_COUNT,
        "found 9223372036854775807");
  }
}

TEST(ShapeTest, RefusesTheWrongNumberOfBuffersInEveryType) {
  for (const RawColumn& kind : EveryRawColumn()) {
    SCOPED_TRACE(kind.spec.name);
    const bool view = kind.spec.format[0] == 'v';
    const int32_t reason =
        view ? ALLOY_REASON_VIEW_BUFFER_COUNT : ALLOY_REASON_BUFFER_COUNT;
    for (const int64_t count : {int64_t{-1}, int64_t{9}, int64_t{1} << 40}) {
      if (view && count == 9) continue;  // six variadic buffers are allowed
      ExpectFault(
          Check(kind.spec, kind.array, [&](ArrowArray* a) { a->n_buffers = count; }),
          reason, -1, "found " + std::to_string(count));
    }
    if (kind.array.buffers.empty()) continue;
    ExpectFaultOfKind(kind, [](ArrowArray* a) { --a->n_buffers; }, reason, "expected ");
    ExpectFaultOfKind(
        kind, [](ArrowArray* a) { a->buffers = nullptr; }, ALLOY_REASON_BUFFERS_NULL,
        "the pointer to the buffers is NULL");
  }
}

TEST(ShapeTest, RefusesChildrenThatAreNotThere) {
  for (const RawColumn& kind : EveryRawColumn()) {
    if (kind.array.children.empty()) continue;
    SCOPED_TRACE(kind.spec.name);
    ExpectFault(
        Check(kind.spec, kind.array, [](ArrowArray* a) { a->children = nullptr; }),
        ALLOY_REASON_CHILDREN_NULL, -1, "top level: the pointer to the children is NULL");
    ExpectFault(
        Check(kind.spec, kind.array, [](ArrowArray* a) { a->children[0] = nullptr; }),
        ALLOY_REASON_CHILD_NULL, 0, "the pointer to this array is NULL");
    ExpectFault(Check(kind.spec, kind.array,
                      [](ArrowArray* a) { OwnedArray(a->children[0]).Release(); }),
                ALLOY_REASON_ARRAY_RELEASED, 0, "column 0 (");
    ExpectFault(Check(kind.spec, kind.array, [](ArrowArray* a) { --a->n_children; }),
                ALLOY_REASON_CHILD_COUNT, -1, "expected ");
  }
}

TEST(ShapeTest, RefusesBuffersThatAreNullOnlyIfTheRowsNeedThem) {
  for (const RawColumn& kind : EveryRawColumn()) {
    SCOPED_TRACE(kind.spec.name);
    const bool no_validity = kind.spec.format.starts_with("+u");
    const bool empty = kind.array.length == 0 || kind.spec.format == "w:0";
    for (size_t i = no_validity ? 0 : 1; i < kind.array.buffers.size(); ++i) {
      // The bytes of empty strings, or the sizes of no variadic buffers.
      const bool needless =
          kind.array.buffers.size() == 3 && i == 2 && !kind.spec.format.starts_with("+");
      const auto lose = [i](ArrowArray* a) { a->buffers[i] = nullptr; };
      if (empty || needless) {
        ExpectOk(Check(kind.spec, kind.array, lose));
      } else {
        ExpectFaultOfKind(
            kind, lose, ALLOY_REASON_BUFFER_NULL,
            "buffer " + std::to_string(i) + " is NULL, but the rows need it");
      }
    }
  }
}

TEST(ShapeTest, RefusesLengthsWhoseBytesOverflow) {
  const auto at = [](const char* format, int64_t length) {
    return Check(Spec{.format = format}, RawFixed(length));
  };
  ExpectOk(at("l", kMax / 8));
  EXPECT_EQ(at("l", kMax / 8 + 1).reason(), ALLOY_REASON_OVERFLOW);
  ExpectOk(at("b", kMax - 63));
  EXPECT_EQ(at("b", kMax - 62).reason(), ALLOY_REASON_OVERFLOW);
  EXPECT_EQ(at("w:1000", kMax / 1000 + 1).reason(), ALLOY_REASON_OVERFLOW);
  const RawArray views{.length = kMax / 16 + 1, .buffers = {nullptr, Zeros(), Zeros()}};
  EXPECT_EQ(Check(kView, views).reason(), ALLOY_REASON_OVERFLOW);
  const RawArray strings{.length = kMax / 4, .buffers = {nullptr, Zeros(), Zeros()}};
  EXPECT_EQ(Check(kUtf8, strings).reason(), ALLOY_REASON_OVERFLOW);
  const RawArray lists{
      .length = kMax / 3 + 1, .buffers = {nullptr}, .children = {RawFixed(0)}};
  EXPECT_EQ(Check({.format = "+w:3", .children = {kInt}}, lists).reason(),
            ALLOY_REASON_OVERFLOW);
}

TEST(ShapeTest, RefusesNullsWithoutABitmap) {
  RawArray array = RawFixed(2);
  array.null_count = 1;
  ExpectFault(Check(kInt, array), ALLOY_REASON_NULLS_WITHOUT_BITMAP, -1,
              "the null count is 1, but there is no validity bitmap");
  ExpectFault(Check(testing::BatchOf({kInt, kInt}), RawRows(2, {RawFixed(2), array})),
              ALLOY_REASON_NULLS_WITHOUT_BITMAP, 1, "column 1 (a)");
  array.buffers[0] = Zeros();
  ExpectOk(Check(kInt, array));
  array.null_count = -1;
  ExpectOk(Check(kInt, array));
  array.buffers[0] = nullptr;
  ExpectOk(Check(kInt, array));
}

TEST(ShapeTest, RefusesNullsInTypesWithoutAnyOfTheirOwn) {
  for (const RawColumn& kind : EveryRawColumn()) {
    if (!kind.spec.format.starts_with("+u") && kind.spec.format != "+r") continue;
    if (kind.array.length == 0) continue;
    SCOPED_TRACE(kind.spec.name);
    ExpectFault(Check(kind.spec, kind.array, [](ArrowArray* a) { a->null_count = 1; }),
                ALLOY_REASON_UNEXPECTED_NULLS, -1, "the null count is 1");
    ExpectOk(Check(kind.spec, kind.array, [](ArrowArray* a) { a->null_count = -1; }));
  }
}

TEST(ShapeTest, RefusesOffsetsThatRunBackwards) {
  const int32_t negative[] = {-1, 2}, decreasing[] = {3, 5, 2}, below[] = {0, -4};
  ExpectFault(Check(kUtf8, Strings(1, negative)), ALLOY_REASON_OFFSETS, -1,
              "expected a first offset of at least 0, found -1");
  ExpectFault(Check(kUtf8, Strings(2, decreasing)), ALLOY_REASON_OFFSETS, -1,
              "expected a last offset of at least 3, found 2");
  ExpectFault(Check(kUtf8, Strings(1, below)), ALLOY_REASON_OFFSETS, -1, "found -4");
  const int64_t large[] = {0, -4};
  ExpectFault(Check({.format = "U"}, {.length = 1, .buffers = {nullptr, large, Zeros()}}),
              ALLOY_REASON_OFFSETS, -1, "found -4");
  ExpectFault(
      Check(kList, {.length = 1, .buffers = {nullptr, below}, .children = {RawFixed(9)}}),
      ALLOY_REASON_OFFSETS, -1, "found -4");
}

TEST(ShapeTest, RefusesStringsWithoutBytes) {
  const int32_t offsets[] = {0, 0, 7};
  ExpectOk(Check(kUtf8, Strings(1, offsets, nullptr)));
  ExpectFault(Check(kUtf8, Strings(2, offsets, nullptr)), ALLOY_REASON_BUFFER_NULL, -1,
              "buffer 2 is NULL, but the rows need it");
}

TEST(ShapeTest, ReadsOffsetsWhateverTheirAlignment) {
  alignas(8) char bytes[16] = {};
  bytes[1 + 4] = 3;
  RawArray array{.length = 1, .buffers = {nullptr, bytes + 1, Zeros()}};
  ExpectOk(Check(kUtf8, array));
}

TEST(ShapeTest, DereferencesNothingOfLengthZero) {
  const void* dangling = reinterpret_cast<const void*>(uintptr_t{64});
  for (const RawColumn& kind : EveryRawColumn()) {
    SCOPED_TRACE(kind.spec.name);
    RawArray array = kind.array;
    array.length = array.null_count = 0;
    for (const void*& buffer : array.buffers) buffer = dangling;
    ExpectOk(Check(kind.spec, array));
    array.offset = 2;
    ExpectOk(Check(kind.spec, array));
    for (const void*& buffer : array.buffers) buffer = nullptr;
    ExpectOk(Check(kind.spec, array));
  }
}

TEST(ShapeTest, RefusesChildrenShorterThanTheirParentNeeds) {
  const Spec batch = testing::BatchOf({kInt, kInt});
  ExpectFault(Check(batch, RawRows(4, {RawFixed(4), RawFixed(3)})),
              ALLOY_REASON_CHILD_LENGTH, 1, "expected at least 4 rows, found 3");
  RawArray sliced = RawRows(4, {RawFixed(4), RawFixed(4)});
  sliced.offset = 1;
  ExpectFault(Check(batch, sliced), ALLOY_REASON_CHILD_LENGTH, 0,
              "expected at least 5 rows, found 4");
  ExpectFault(
      Check({.format = "+w:3", .children = {kInt}},
            {.length = 2, .buffers = {nullptr}, .children = {RawFixed(8)}, .offset = 1}),
      ALLOY_REASON_CHILD_LENGTH, 0, "expected at least 9 rows, found 8");
  ExpectFault(Check({.format = "+us:0", .children = {kInt}},
                    {.length = 2, .buffers = {Zeros()}, .children = {RawFixed(1)}}),
              ALLOY_REASON_CHILD_LENGTH, 0, "expected at least 2 rows, found 1");
  const int32_t offsets[] = {0, 1, 6};
  ExpectFault(
      Check(kList,
            {.length = 2, .buffers = {nullptr, offsets}, .children = {RawFixed(5)}}),
      ALLOY_REASON_CHILD_LENGTH, 0, "expected at least 6 rows, found 5");
}

TEST(ShapeTest, NeverReadsOffsetsThroughAChildThatIsMalformed) {
  const int32_t offsets[] = {0, 6};
  ExpectFault(Check(kList, {.length = 1,
                            .buffers = {nullptr, offsets},
                            .children = {{.length = 9, .buffers = {nullptr}}}}),
              ALLOY_REASON_BUFFER_COUNT, 0, "expected 2 buffers, found 1");
}

RawArray Views(std::vector<const void*> variadic, const int64_t* sizes) {
  RawArray array{.length = 1, .buffers = {nullptr, Zeros()}};
  array.buffers.insert(array.buffers.end(), variadic.begin(), variadic.end());
  array.buffers.push_back(sizes);
  return array;
}

TEST(ShapeTest, ChecksTheSizesOfViewBuffers) {
  const int64_t good[] = {5, 0}, negative[] = {5, -1};
  ExpectOk(Check(kView, Views({}, nullptr)));
  ExpectOk(Check(kView, Views({Zeros(), nullptr}, good)));
  ExpectFault(Check(kView, Views({Zeros(), Zeros()}, nullptr)), ALLOY_REASON_VIEW_SIZES,
              -1, "the last buffer, with the sizes of the variadic buffers, is NULL");
  ExpectFault(Check(kView, Views({Zeros(), Zeros()}, negative)), ALLOY_REASON_VIEW_SIZES,
              -1, "expected sizes of variadic buffers of at least 0, found -1");
  ExpectFault(Check(kView, Views({nullptr, Zeros()}, good)), ALLOY_REASON_BUFFER_NULL, -1,
              "buffer 2 is NULL, but the rows need it");
}

RawArray RunEnds(int64_t length, std::vector<RawArray> children) {
  return {.length = length, .children = std::move(children)};
}

TEST(ShapeTest, ChecksWhatRunEndsCover) {
  const Spec schema{.format = "+r", .children = {{.format = "i"}, kInt}};
  static const int32_t ends[] = {2, 5};
  const RawArray runs{.length = 2, .buffers = {nullptr, ends}};
  ExpectOk(Check(schema, RunEnds(5, {runs, RawFixed(2)})));
  ExpectFault(Check(schema, RunEnds(6, {runs, RawFixed(2)})), ALLOY_REASON_CHILD_LENGTH,
              0, "expected a last run end of at least 6, found 5");
  ExpectFault(Check(schema, RunEnds(1, {RawFixed(0), RawFixed(0)})),
              ALLOY_REASON_CHILD_LENGTH, 0,
              "expected a last run end of at least 1, found 0");
  ExpectFault(Check(schema, RunEnds(5, {runs, RawFixed(1)})), ALLOY_REASON_CHILD_LENGTH,
              1, "expected at least 2 rows, found 1");
  RawArray shifted = runs;
  shifted.length = shifted.offset = 1;
  ExpectFault(Check(schema, RunEnds(5, {shifted, RawFixed(2)})),
              ALLOY_REASON_RUN_ENDS_NULLS, 0,
              "expected run ends with an offset of 0, found 1");
  const unsigned char half = 0b01, full = 0b11;
  RawArray nulls = runs;
  nulls.buffers[0] = &half;
  nulls.null_count = 1;
  ExpectFault(Check(schema, RunEnds(5, {nulls, RawFixed(2)})),
              ALLOY_REASON_RUN_ENDS_NULLS, 0, "run ends cannot be null");
  nulls.null_count = -1;
  ExpectFault(Check(schema, RunEnds(5, {nulls, RawFixed(2)})),
              ALLOY_REASON_RUN_ENDS_NULLS, 0, "run ends cannot be null");
  nulls.buffers[0] = &full;
  ExpectOk(Check(schema, RunEnds(5, {nulls, RawFixed(2)})));
}

TEST(ShapeTest, TakesANullArrayWithTheBufferItOnceHad) {
  ExpectOk(Check({.format = "n"}, {.length = 3, .buffers = {nullptr}, .null_count = 3}));
  ExpectOk(Check({.format = "n"}, {.length = 3, .null_count = -1}));
  ExpectFault(Check({.format = "n"}, {.length = 3, .buffers = {nullptr, nullptr}}),
              ALLOY_REASON_BUFFER_COUNT, -1, "expected 0 buffers, found 2");
}

TEST(ShapeTest, FollowsTheLayoutWhereAnArrayContainsItself) {
  ExpectFault(
      Check(kList,
            {.length = 1, .buffers = {nullptr, Zeros()}, .children = {RawFixed(1)}},
            [](ArrowArray* a) { a->children[0] = a; }),
      ALLOY_REASON_CHILD_COUNT, 0, "expected 0 children, found 1");
}

TEST(ShapeTest, ChecksDictionariesAsColumnsOfTheirOwn) {
  const Spec schema =
      testing::BatchOf({kInt, {.format = "c", .name = "d", .dictionary = {kUtf8}}});
  const int32_t negative[] = {0, -3};
  RawArray index = RawFixed(2);
  index.dictionary = {Strings(1, negative)};
  ExpectFault(Check(schema, RawRows(2, {RawFixed(2), index})), ALLOY_REASON_OFFSETS, 2,
              "column 2 (d.dictionary)");
}

TEST(ShapeTest, TakesNullsInColumnsThatAreNotNullable) {
  Spec schema = kInt;
  schema.flags = 0;
  RawArray array = RawFixed(2);
  array.buffers[0] = Zeros();
  array.null_count = 2;
  ExpectOk(Check(schema, array));  // the flag is only a hint
}

}  // namespace
}  // namespace alloy::core
