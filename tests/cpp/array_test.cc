// SPDX-License-Identifier: MIT
//
// The arrays and batches of alloy.hpp: made, printed, read, shared.
#include "alloy/array.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/batch.hpp"
#include "tests/faults/tree.h"
#include "tests/support/support.h"

namespace {

using alloy::MakeArray;
using alloy::MakeBatch;

template <typename T>
std::string TextOf(const T& value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

TEST(MakeArrayTest, PrintsEveryNumber) {
  EXPECT_EQ(TextOf(MakeArray<int32_t>({1, 2, 3, -4})), "Int32[1, 2, 3, -4]");
  EXPECT_EQ(TextOf(MakeArray<int8_t>({-128, 127})), "Int8[-128, 127]");
  EXPECT_EQ(TextOf(MakeArray<uint8_t>({0, 255})), "UInt8[0, 255]");
  EXPECT_EQ(TextOf(MakeArray<int16_t>({-7})), "Int16[-7]");
  EXPECT_EQ(TextOf(MakeArray<uint16_t>({7})), "UInt16[7]");
  EXPECT_EQ(TextOf(MakeArray<uint32_t>({4'000'000'000U})), "UInt32[4000000000]");
  EXPECT_EQ(TextOf(MakeArray<int64_t>({std::numeric_limits<int64_t>::min()})),
            "Int64[-9223372036854775808]");
  EXPECT_EQ(TextOf(MakeArray<uint64_t>({std::numeric_limits<uint64_t>::max()})),
            "UInt64[18446744073709551615]");
  EXPECT_EQ(TextOf(MakeArray<float>({0.5F})), "Float32[0.5]");
  EXPECT_EQ(TextOf(MakeArray<double>({0.1, -2.25})), "Float64[0.1, -2.25]");
}

TEST(MakeArrayTest, HasNulls) {
  EXPECT_EQ(TextOf(MakeArray<int32_t>({1, std::nullopt, 3})), "Int32[1, null, 3]");
  EXPECT_EQ(TextOf(MakeArray<bool>({true, std::nullopt, false})),
            "Boolean[true, null, false]");
  EXPECT_EQ(TextOf(MakeArray<std::string>({"a", std::nullopt, ""})),
            "Utf8[\"a\", null, \"\"]");
  const auto late = MakeArray<int32_t>({1, 2, 3, 4, 5, 6, 7, 8, 9, std::nullopt, 11});
  EXPECT_EQ(TextOf(late), "Int32[1, 2, 3, 4, 5, 6, 7, 8, 9, null, 11]");
  EXPECT_EQ(late.array().null_count, 1);
}

TEST(MakeArrayTest, TakesAnyRange) {
  EXPECT_EQ(TextOf(MakeArray(std::vector<int64_t>{1, 2})), "Int64[1, 2]");
  EXPECT_EQ(TextOf(MakeArray(std::vector<bool>{true, false})), "Boolean[true, false]");
  EXPECT_EQ(TextOf(MakeArray(std::vector<std::optional<double>>{1.5, std::nullopt})),
            "Float64[1.5, null]");
  EXPECT_EQ(TextOf(MakeArray(std::vector<std::string>{"a", "b"})), "Utf8[\"a\", \"b\"]");
  EXPECT_EQ(TextOf(MakeArray(std::vector<const char*>{"a"})), "Utf8[\"a\"]");
  EXPECT_EQ(
      TextOf(MakeArray(std::vector<std::optional<std::string_view>>{"a", std::nullopt})),
      "Utf8[\"a\", null]");
  EXPECT_EQ(TextOf(MakeArray<int32_t>(std::vector<int16_t>{1, 2})), "Int32[1, 2]");
  EXPECT_EQ(TextOf(MakeArray<int32_t>({})), "Int32[]");
}

TEST(MakeArrayTest, ShortensLongArrays) {
  EXPECT_EQ(TextOf(MakeArray(std::vector<int32_t>(20, 7))),
            "Int32[7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, … 4 more]");
  const std::string text(500, 'x');
  EXPECT_EQ(TextOf(MakeArray(std::vector<std::string>{text})), "Utf8[\"" + text + "\"]");
}

TEST(MakeArrayTest, IsAlignedTo64Bytes) {
  const auto array = MakeArray(std::vector<std::string>(1000, "text"));
  for (int i = 1; i < 3; ++i) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(array.array().buffers[i]) % 64, 0U);
  }
}

TEST(ArrayTest, GivesItsValues) {
  const auto array = MakeArray<int64_t>({5, std::nullopt, 7});
  const auto values = array.values<int64_t>();
  ASSERT_TRUE(values.ok()) << values.status();
  const std::vector<std::optional<int64_t>> expected{5, std::nullopt, 7};
  EXPECT_EQ(std::vector<std::optional<int64_t>>(values->begin(), values->end()),
            expected);
  EXPECT_EQ(values->CountNulls(), 1);
  EXPECT_EQ((*values)[2], 7);
  EXPECT_EQ(array.values<int32_t>().status().code(), ALLOY_INVALID);
  EXPECT_EQ(array.values<std::string_view>().status().code(), ALLOY_INVALID);
}

TEST(ArrayTest, SharesItsMemory) {
  auto array = MakeArray<int32_t>({1, 2});
  auto other = array.Share();
  EXPECT_EQ(array.array().buffers[1], other.array().buffers[1]);
  {
    const alloy::Array gone = std::move(array);
  }
  EXPECT_EQ(TextOf(other), "Int32[1, 2]");
  other = other.Share();
  EXPECT_EQ(TextOf(other), "Int32[1, 2]");
}

TEST(ArrayTest, ImportTakesWhatIsMalformedToo) {
  faults::Tree tree;
  tree.array(faults::Tree::kUtf8).n_buffers = 2;
  ArrowSchema schema;
  ArrowArray array;
  tree.MoveSchema(&schema);
  tree.MoveArray(&array);
  const auto imported = alloy::Array::Import(&schema, &array);
  EXPECT_EQ(imported.status().code(), ALLOY_BAD_DATA);
  EXPECT_EQ(imported.status().reason(), ALLOY_REASON_BUFFER_COUNT);
  EXPECT_EQ(imported.status().column(), faults::Tree::kUtf8);
  EXPECT_EQ(tree.releases(), 1);
  EXPECT_EQ(tree.schema_releases(), 1);
}

TEST(BatchTest, NamesItsColumns) {
  const auto batch = MakeBatch({{"x", MakeArray<double>({1.5, 2})},
                                {"s", MakeArray<std::string>({"a", std::nullopt})}});
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->rows(), 2);
  EXPECT_EQ(batch->columns(), 2);
  EXPECT_EQ(TextOf(*batch), "{x: Float64[1.5, 2.0], s: Utf8[\"a\", null]}");
  EXPECT_EQ(batch->column("none").status().code(), ALLOY_INVALID);
  const auto strings = batch->column<std::string_view>("s");
  ASSERT_TRUE(strings.ok()) << strings.status();
  EXPECT_EQ((*strings)[0], "a");
  EXPECT_EQ((*strings)[1], std::nullopt);
}

TEST(BatchTest, WantsColumnsOfOneLength) {
  const auto batch =
      MakeBatch({{"x", MakeArray<double>({1.5, 2})}, {"y", MakeArray<double>({1.5})}});
  EXPECT_EQ(batch.status().code(), ALLOY_INVALID);
  EXPECT_NE(batch.status().text().find("'y'"), std::string_view::npos);
}

TEST(BatchTest, MayHaveNoColumns) {
  const auto batch = MakeBatch({});
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(TextOf(*batch), "{}");
}

TEST(BatchTest, ImportWantsAStruct) {
  const auto array = MakeArray<int32_t>({1});
  ArrowSchema schema;
  ArrowArray copy;
  alloy::Schema::Copy(array.schema()).MoveTo(&schema);
  alloy::detail::ShareArray(array.array(), array.keeper(), false).MoveTo(&copy);
  EXPECT_EQ(alloy::Batch::Import(&schema, &copy).status().code(), ALLOY_INVALID);
}

TEST(SchemaTest, ACopyHasEverything) {
  faults::Tree tree;
  // One pair: "k" and "value".
  const std::string metadata("\1\0\0\0\1\0\0\0k\5\0\0\0value", 18);
  tree.schema(faults::Tree::kUtf8).metadata = metadata.data();
  const auto copy = alloy::Schema::Copy(tree.schema(faults::Tree::kRoot));
  EXPECT_TRUE(alloy::detail::SameType(*copy, tree.schema(faults::Tree::kRoot)));
  const ArrowSchema& column = *copy->children[faults::Tree::kUtf8];
  EXPECT_STREQ(column.name, "utf8");
  EXPECT_EQ(std::string(column.metadata, 18), metadata);
  EXPECT_NE(column.metadata, metadata.data());
}

TEST(OwnedTest, SurvivesBeingMovedOntoItself) {
  faults::Tree tree;
  ArrowArray array;
  tree.MoveArray(&array);
  {
    alloy::OwnedArray owner(&array);
    EXPECT_EQ(array.release, nullptr);
    alloy::OwnedArray& same = owner;
    owner = std::move(same);
    EXPECT_TRUE(owner);
    EXPECT_EQ(tree.releases(), 0);
  }
  EXPECT_EQ(tree.releases(), 1);
}

TEST(BatchTest, AColumnMayHaveNoName) {
  static constexpr int64_t kValue = 7;
  alloy::testing::Tree tree(
      alloy::testing::BatchOf({{.format = "l"}}),
      alloy::testing::RawRows(1, {{.length = 1, .buffers = {nullptr, &kValue}}}));
  tree.schema(0).name = nullptr;
  const auto batch = support::ImportTree(tree);
  ASSERT_TRUE(batch.ok()) << batch.status();
  std::ostringstream text;
  text << *batch;
  EXPECT_EQ(text.str(), "{: Int64[7]}");
  EXPECT_FALSE(batch->column("x").ok());
  EXPECT_TRUE(batch->column("").ok());
}

}  // namespace
