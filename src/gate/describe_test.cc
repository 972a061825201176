// SPDX-License-Identifier: MIT
#include "gate/describe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "alloy/testing/raw.hpp"
#include "arrow/type_name.h"

namespace alloy::core {
namespace {

using testing::EveryRawColumn;
using testing::Make;
using testing::RawArray;
using testing::RawColumn;
using testing::Spec;

std::string Name(const Spec& schema) { return TypeName(*Make(schema)); }

std::string Text(const Spec& schema, const RawArray& array) {
  const auto text = Describe(*Make(schema), *Make(array));
  return text.ok() ? *text : text.status().fault().text;
}

template <typename T>
std::string Numbers(const char* format, const std::vector<T>& values) {
  return Text({.format = format}, {.length = static_cast<int64_t>(values.size()),
                                   .buffers = {nullptr, values.data()}});
}

const Spec kInt{.format = "i", .name = "a"};
const Spec kUtf8{.format = "u", .name = "b"};

TEST(TypeNameTest, NamesEveryType) {
  const std::pair<const char*, const char*> names[] = {
      {"n", "Null"},
      {"b", "Boolean"},
      {"c", "Int8"},
      {"C", "UInt8"},
      {"s", "Int16"},
      {"S", "UInt16"},
      {"i", "Int32"},
      {"I", "UInt32"},
      {"l", "Int64"},
      {"L", "UInt64"},
      {"e", "Float16"},
      {"f", "Float32"},
      {"g", "Float64"},
      {"z", "Binary"},
      {"Z", "LargeBinary"},
      {"vz", "BinaryView"},
      {"u", "Utf8"},
      {"U", "LargeUtf8"},
      {"vu", "Utf8View"},
      {"w:16", "FixedSizeBinary(16)"},
      {"d:9,2,32", "Decimal32(9, 2)"},
      {"d:10,2,64", "Decimal64(10, 2)"},
      {"d:10,2", "Decimal128(10, 2)"},
      {"d:10,-2,256", "Decimal256(10, -2)"},
      {"tdD", "Date32"},
      {"tdm", "Date64"},
      {"tts", "Time32(s)"},
      {"ttm", "Time32(ms)"},
      {"ttu", "Time64(us)"},
      {"ttn", "Time64(ns)"},
      {"tss:", "Timestamp(s)"},
      {"tsm:UTC", "Timestamp(ms, UTC)"},
      {"tsu:+01:00", "Timestamp(us, +01:00)"},
      {"tsn:\n", "Timestamp(ns, \\n)"},
      {"tDs", "Duration(s)"},
      {"tDn", "Duration(ns)"},
      {"tiM", "Interval(YearMonth)"},
      {"tiD", "Interval(DayTime)"},
      {"tin", "Interval(MonthDayNano)"},
      {"zz", "Unknown(zz)"},
      {"", "Unknown()"},
      {"d:5", "Unknown(d:5)"}};
  for (const auto& [format, name] : names) EXPECT_EQ(Name({.format = format}), name);
}

TEST(TypeNameTest, NamesNestedTypes) {
  EXPECT_EQ(Name({.format = "+l", .children = {kInt}}), "List(Int32)");
  EXPECT_EQ(Name({.format = "+L", .children = {kInt}}), "LargeList(Int32)");
  EXPECT_EQ(Name({.format = "+vl", .children = {kInt}}), "ListView(Int32)");
  EXPECT_EQ(Name({.format = "+vL", .children = {kInt}}), "LargeListView(Int32)");
  EXPECT_EQ(Name({.format = "+w:3", .children = {kInt}}), "FixedSizeList(3, Int32)");
  EXPECT_EQ(Name({.format = "+s", .children = {kInt, kUtf8}}),
            "Struct(a: Int32, b: Utf8)");
  EXPECT_EQ(Name({.format = "+s"}), "Struct()");
  EXPECT_EQ(
      Name({.format = "+m", .children = {{.format = "+s", .children = {kUtf8, kInt}}}}),
      "Map(Utf8, Int32)");
  EXPECT_EQ(Name({.format = "+us:1,2", .children = {kInt, kUtf8}}),
            "Union(sparse; a: Int32, b: Utf8)");
  EXPECT_EQ(Name({.format = "+ud:1", .children = {kInt}}), "Union(dense; a: Int32)");
  EXPECT_EQ(Name({.format = "+r", .children = {kInt, kUtf8}}),
            "RunEndEncoded(Int32, Utf8)");
  EXPECT_EQ(Name({.format = "i", .dictionary = {kUtf8}}), "Dictionary(Int32, Utf8)");
}

TEST(TypeNameTest, SurvivesWhateverIsMalformed) {
  EXPECT_EQ(TypeName(ArrowSchema{}), "Unknown");
  OwnedSchema list = Make(Spec{.format = "+l", .children = {kInt}});
  list->children[0]->format = nullptr;
  EXPECT_EQ(TypeName(*list), "List(Unknown)");
  OwnedSchema map = Make(Spec{.format = "+m", .children = {kInt}});
  OwnedSchema(map->children[0]).Release();
  EXPECT_EQ(TypeName(*map), "Map(Unknown)");
  ArrowSchema* none[] = {nullptr};
  list->children = none;
  EXPECT_EQ(TypeName(*list), "List(Unknown)");
  list->children = nullptr;
  EXPECT_EQ(TypeName(*list), "List(Unknown)");
}

TEST(TypeNameTest, CutsLongNames) {
  OwnedSchema loop = Make(Spec{.format = "+s", .children = {kInt, kInt}});
  loop->children[0] = loop->children[1] = loop.get();
  const std::string name = TypeName(*loop);
  EXPECT_LT(name.size(), 1000u);
  EXPECT_TRUE(name.ends_with("…"));
}

TEST(DescribeTest, ShowsNumbers) {
  EXPECT_EQ(Numbers<int32_t>("i", {1, 2, 3, -4}), "Int32[1, 2, 3, -4]");
  EXPECT_EQ(Numbers<int8_t>("c", {-128, 65}), "Int8[-128, 65]");
  EXPECT_EQ(Numbers<uint8_t>("C", {255}), "UInt8[255]");
  EXPECT_EQ(Numbers<int16_t>("s", {-300}), "Int16[-300]");
  EXPECT_EQ(Numbers<uint16_t>("S", {65535}), "UInt16[65535]");
  EXPECT_EQ(Numbers<uint32_t>("I", {4294967295u}), "UInt32[4294967295]");
  EXPECT_EQ(Numbers<int64_t>("l", {std::numeric_limits<int64_t>::min()}),
            "Int64[-9223372036854775808]");
  EXPECT_EQ(Numbers<uint64_t>("L", {std::numeric_limits<uint64_t>::max()}),
            "UInt64[18446744073709551615]");
}

TEST(DescribeTest, ShowsFloatsShortAndExact) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(
      Numbers<double>("g", {1.0, -0.0, 0.1, 100000.0, 1e15, 1e16, 1.5e-7, 1e-5, 1e-300,
                            infinity, -infinity, std::nan("")}),
      "Float64[1.0, -0.0, 0.1, 100000.0, 1000000000000000.0, 1e16, 1.5e-7, 0.00001, "
      "1e-300, inf, -inf, NaN]");
  EXPECT_EQ(Numbers<float>("f", {0.1F, 16777216.0F, 1e10F}),
            "Float32[0.1, 16777216.0, 10000000000.0]");
  EXPECT_EQ(
      Numbers<uint16_t>(
          "e", {0x3C00, 0xC000, 0x7C00, 0xFC00, 0x7E00, 0x0001, 0x3555, 0x7BFF, 0x8000}),
      "Float16[1.0, -2.0, inf, -inf, NaN, 5.9604645e-8, 0.33325195, 65504.0, -0.0]");
}

TEST(DescribeTest, ShowsNullsAtTheirOffset) {
  const int64_t values[] = {1, 2, 3, 4};
  const unsigned char bitmap = 0b1010;
  RawArray array{.length = 3, .buffers = {&bitmap, values}, .offset = 1, .null_count = 1};
  EXPECT_EQ(Text({.format = "l"}, array), "Int64[2, null, 4]");
  array.null_count = -1;
  EXPECT_EQ(Text({.format = "l"}, array), "Int64[2, null, 4]");
  array.buffers[0] = nullptr;
  EXPECT_EQ(Text({.format = "l"}, array), "Int64[2, 3, 4]");
}

TEST(DescribeTest, ShowsBooleansAtTheirOffset) {
  const unsigned char bits[] = {0b10000000, 0b00000001};
  EXPECT_EQ(Text({.format = "b"}, {.length = 3, .buffers = {nullptr, bits}, .offset = 7}),
            "Boolean[true, true, false]");
}

TEST(DescribeTest, ShortensLongArrays) {
  std::vector<int32_t> values(17);
  for (int i = 0; i < 17; ++i) values[static_cast<size_t>(i)] = i;
  EXPECT_EQ(Numbers("i", values),
            "Int32[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, … 1 more]");
  values.pop_back();
  EXPECT_TRUE(Numbers("i", values).ends_with("14, 15]"));
}

TEST(DescribeTest, ShowsEmptyArrays) {
  EXPECT_EQ(Text({.format = "i"}, {.buffers = {nullptr, nullptr}}), "Int32[]");
  EXPECT_EQ(Text({.format = "u"}, {.buffers = {nullptr, nullptr, nullptr}}), "Utf8[]");
  EXPECT_EQ(Text({.format = "n"}, {}), "Null[0 rows]");
}

TEST(DescribeTest, QuotesStrings) {
  const char* bytes = "a\"bc\nåab\xFFz";
  const int32_t offsets[] = {0, 3, 5, 7, 7, 11};
  EXPECT_EQ(Text(kUtf8, {.length = 4, .buffers = {nullptr, offsets, bytes}, .offset = 1}),
            "Utf8[\"c\\n\", \"å\", \"\", \"ab\\xffz\"]");
  const int64_t large[] = {0, 1};
  EXPECT_EQ(Text({.format = "U"}, {.length = 1, .buffers = {nullptr, large, bytes}}),
            "LargeUtf8[\"a\"]");
}

TEST(DescribeTest, RefusesStringsThatLeaveTheirBuffer) {
  // The first and the last offset are in order, so level shape lets them pass.
  const int32_t beyond[] = {0, 99, 4}, backwards[] = {2, 1, 4}, negative[] = {0, -1, 4};
  for (const int32_t* offsets : {beyond, backwards, negative}) {
    const auto text =
        Describe(*Make(kUtf8),
                 *Make(RawArray{.length = 2, .buffers = {nullptr, offsets, "abcd"}}));
    ASSERT_FALSE(text.ok());
    EXPECT_EQ(text.status().reason(), ALLOY_REASON_OFFSETS);
  }
}

struct View {
  int32_t length;
  char prefix[4];
  int32_t buffer;
  int32_t offset;
};

Result<std::string> DescribeView(const View& view, bool variadic = true) {
  static const char bytes[] = "a string of many words";
  static const int64_t sizes[] = {22};
  RawArray array{.length = 1, .buffers = {nullptr, &view}};
  if (variadic) array.buffers.push_back(bytes);
  array.buffers.push_back(sizes);
  return Describe(*Make(Spec{.format = "vu"}), *Make(array));
}

TEST(DescribeTest, FollowsViewsInsideTheirBuffers) {
  EXPECT_EQ(*DescribeView({13, {}, 0, 9}), "Utf8View[\"of many words\"]");
  View inlined{12, {}, 0, 0};
  std::memcpy(inlined.prefix, "hello, world", 12);
  EXPECT_EQ(*DescribeView(inlined, false), "Utf8View[\"hello, world\"]");
  for (const View& view :
       {View{14, {}, 0, 9}, View{13, {}, 1, 0}, View{13, {}, -1, 0}, View{13, {}, 0, -1},
        View{-1, {}, 0, 0}, View{0x7fffffff, {}, 0, 0x7fffffff}}) {
    EXPECT_EQ(DescribeView(view).status().reason(), ALLOY_REASON_VIEW);
  }
  EXPECT_FALSE(DescribeView({13, {}, 0, 0}, false).ok());
}

TEST(DescribeTest, CountsTheRowsOfEveryOtherType) {
  EXPECT_EQ(Text({.format = "+s", .children = {kInt}},
                 testing::RawRows(2, {testing::RawFixed(2)})),
            "Struct(a: Int32)[2 rows]");
  EXPECT_EQ(Text({.format = "tsm:UTC"}, testing::RawFixed(1)),
            "Timestamp(ms, UTC)[1 rows]");
  RawArray index = testing::RawFixed(3);
  index.dictionary = {{.length = 1, .buffers = {nullptr, testing::Zeros(), nullptr}}};
  EXPECT_EQ(Text({.format = "i", .dictionary = {kUtf8}}, index),
            "Dictionary(Int32, Utf8)[3 rows]");
}

TEST(DescribeTest, DescribesASampleOfEveryType) {
  for (const RawColumn& column : EveryRawColumn()) {
    const auto text = Describe(*Make(column.spec), *Make(column.array));
    ASSERT_TRUE(text.ok()) << column.spec.name;
    EXPECT_TRUE(text->starts_with(Name(column.spec) + "[")) << *text;
  }
}

TEST(DescribeTest, RefusesWhatTheGateRefuses) {
  EXPECT_EQ(Describe(*Make(Spec{.format = "zz"}), *Make(testing::RawFixed(1)))
                .status()
                .reason(),
            ALLOY_REASON_FORMAT_UNKNOWN);
  EXPECT_EQ(
      Describe(*Make(kInt), *Make(RawArray{.length = 1, .buffers = {nullptr, nullptr}}))
          .status()
          .reason(),
      ALLOY_REASON_BUFFER_NULL);
  EXPECT_EQ(Describe(*Make(kInt), ArrowArray{}).status().reason(),
            ALLOY_REASON_ARRAY_RELEASED);
}

}  // namespace
}  // namespace alloy::core
