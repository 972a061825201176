// SPDX-License-Identifier: MIT
//
// Dates, decimals, declared columns and columns chosen at bind, as a caller sees them:
// build/backends/tests/columns.so.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "alloy/backend.hpp"
#include "tests/support/call_text.h"
#include "tests/support/decimals.h"
#include "tests/support/support.h"
#include "tests/support/text_layouts.h"

namespace {

using alloy::Date32;
using alloy::Decimal128;
using alloy::MakeArray;
using alloy::MakeBatch;
using support::MakeDecimals;
using support::Slice;

constexpr Decimal128 kGreat = Decimal128{1'000'000'000'000'000'000} * 1'000'000'000'000;

std::string TextOf(Date32 value) { return std::to_string(value.days); }
std::string TextOf(Decimal128 value) {
  return std::to_string(static_cast<int64_t>(value));
}
std::string TextOf(std::string_view value) { return std::string(value); }

// The values of a column, which the text of a batch does not have for every type.
template <typename T>
std::string ValuesOf(const alloy::Batch& batch, std::string_view name) {
  const auto column = batch.column<T>(name);
  if (!column.ok()) return column.status().ToString();
  std::string text;
  for (const auto value : *column) text += (value ? TextOf(*value) : "null") + " ";
  return text;
}

class ColumnsTest : public testing::Test {
 protected:
  std::string Call(const char* function, const alloy::Result<alloy::Batch>& batch,
                   const alloy::OptionMap& options = {}) {
    return support::CallText(bridge_, function, *batch, options);
  }

  std::shared_ptr<support::LogLines> lines_ = std::make_shared<support::LogLines>();
  alloy::Bridge bridge_ =
      support::Load("tests/columns", support::TestHost(lines_, alloy::LogMode::kAlways));
};

TEST_F(ColumnsTest, ADecimalHasItsUnscaledValueItsPrecisionAndItsScale) {
  const auto x = MakeDecimals("d:38,2", {123, std::nullopt, -5, kGreat, -kGreat});
  EXPECT_EQ(Call("tell", MakeBatch({{"x", x.Share()}})),
            "{text: Utf8[\"38,2, 1 nulls: 123 null -5 1000000000000000000000000000000 "
            "-1000000000000000000000000000000\"]}");
  EXPECT_EQ(Call("tell", MakeBatch({{"x", MakeDecimals("d:5,-3,128", {7})}})),
            "{text: Utf8[\"5,-3, 0 nulls: 7\"]}");
  EXPECT_EQ(Call("tell", MakeBatch({{"x", Slice(x, 1, 2)}})),
            "{text: Utf8[\"38,2, 1 nulls: null -5\"]}");
  EXPECT_EQ(Call("tell", MakeBatch({{"x", Slice(x, 5, 0)}})),
            "{text: Utf8[\"38,2, 0 nulls:\"]}");
}

TEST_F(ColumnsTest, StringsAreMadeInEveryLayout) {
  EXPECT_EQ(
      Call("respell", MakeBatch({{"text", MakeArray<std::string>(
                                              {"", std::nullopt, "twelve bytes",
                                               "thirteen byte", "and then some"})}})),
      "{large: LargeUtf8[\"\", null, \"twelve bytes\", \"thirteen byte\", \"and then "
      "some\"], views: Utf8View[\"\", null, \"twelve bytes\", \"thirteen byte\", "
      "\"and then some\"]}");
  EXPECT_EQ(Call("respell", MakeBatch({{"text", MakeArray<std::string>({})}})),
            "{large: LargeUtf8[], views: Utf8View[]}");
}

TEST_F(ColumnsTest, DecimalsOfOtherWidthsAreDeclinedAtBind) {
  // The widths differ, so the memory is never looked at.
  for (const char* format : {"d:38,2,256", "d:9,2,32", "d:18,2,64"}) {
    alloy_error error{};
    auto schema =
        alloy::Schema::Batch(std::vector<alloy::Field>{{.name = "x", .format = format}});
    EXPECT_EQ(support::Bind(bridge_, "tell", *schema, &error), nullptr) << format;
    const alloy::Status status(error);
    EXPECT_EQ(status.code(), ALLOY_NO_MATCH) << status;
    EXPECT_EQ(status.text(), "column 'x' has the format '" + std::string(format) +
                                 "', and the function reads d:P,S of 128 bits");
  }
  EXPECT_NE(Call("tell", MakeBatch({{"x", MakeArray<double>({1})}})).find("NO_MATCH"),
            std::string::npos);
}

TEST_F(ColumnsTest, DecimalsMayLieAtAnyAddress) {
  const auto aligned = MakeDecimals("d:15,2", {1, -2, 3, 4, 5, 6, 7, 8});
  std::vector<char> memory(8 * sizeof(Decimal128) + 16);
  for (const size_t shift : {1, 4, 8}) {
    char* begin = memory.data() + shift;
    std::memcpy(begin, aligned.array().buffers[1], 8 * sizeof(Decimal128));
    const void* buffers[] = {nullptr, begin};
    ArrowArray moved = aligned.array();
    moved.buffers = buffers;
    const alloy::Column<Decimal128> column(aligned.schema(), moved);
    Decimal128 sum = 0;
    for (int64_t row = 0; row < column.size(); ++row) sum += column[row] * (row + 1);
    EXPECT_TRUE(sum == 196) << shift;
  }
}

TEST_F(ColumnsTest, ARowHasDatesAndDecimals) {
  const auto days = MakeArray<Date32>({Date32{10'471}, std::nullopt, Date32{-1}});
  const auto next = bridge_.Call("next_day", *MakeBatch({{"day", days.Share()}}));
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(ValuesOf<Date32>(*next, "next_day"), "10472 null 0 ");
  const auto x = MakeDecimals("d:15,2", {-1, 1, std::nullopt});
  EXPECT_EQ(Call("sign", MakeBatch({{"x", x.Share()}, {"day", days.Share()}})),
            "{sign: Int64[-1, null, null]}");
}

TEST_F(ColumnsTest, AnyColumnIsLookedAtAsWhatItIs) {
  const auto decimals = MakeBatch({{"x", MakeDecimals("d:15,2", {1, 2})}});
  const auto dates = MakeBatch({{"x", MakeArray<Date32>({Date32{-7}})}});
  const auto text = MakeBatch({{"x", MakeArray<std::string>({"a", "b", "c"})}});
  EXPECT_EQ(Call("look_at", decimals, {{"as", "decimal"}}), "{rows: Int64[2]}");
  EXPECT_EQ(Call("look_at", dates, {{"as", "date"}}), "{rows: Int64[1]}");
  EXPECT_EQ(Call("look_at", text, {{"as", "strings"}}), "{rows: Int64[3]}");
  EXPECT_EQ(Call("look_at", text, {{"as", "any"}}), "{rows: Int64[3]}");
  EXPECT_EQ(Call("look_at", dates, {{"as", "first"}}), "{rows: Int64[-7]}");
  EXPECT_EQ(Call("look_at", dates, {{"as", "decimal"}}),
            "INVALID: column 'x' has the format 'tdD', and the function reads d:P,S of "
            "128 bits");
  EXPECT_EQ(Call("look_at", decimals, {{"as", "date"}}),
            "INVALID: column 'x' has the format 'd:15,2', and the function reads tdD");
  EXPECT_EQ(
      Call("look_at", dates, {{"as", "strings"}}),
      "INVALID: column 'x' has the format 'tdD', and the function reads u, U, vu or a "
      "dictionary of them");
}

TEST_F(ColumnsTest, AHostReadsDatesAndDecimals) {
  const auto batch = MakeBatch({{"x", MakeDecimals("d:15,2", {1, std::nullopt})},
                                {"day", MakeArray<Date32>({Date32{1}, Date32{2}})}});
  ASSERT_TRUE(batch.ok()) << batch.status();
  const auto x = batch->column<Decimal128>("x");
  ASSERT_TRUE(x.ok()) << x.status();
  EXPECT_EQ(x->scale(), 2);
  EXPECT_TRUE((*x)[0] == 1);
  EXPECT_FALSE(x->Get(1).has_value());
  const auto day = batch->column<Date32>("day");
  ASSERT_TRUE(day.ok()) << day.status();
  EXPECT_EQ((*day)[1].days, 2);
  EXPECT_EQ(
      batch->column<Decimal128>("day").status().text(),
      "column 'day' has format 'tdD', but the function reads it as d:P,S of 128 bits");
}

TEST_F(ColumnsTest, NullsAreCountedFromAnyBitOn) {
  std::vector<std::optional<int64_t>> values;
  for (int64_t i = 0; i < 300; ++i) {
    values.push_back(i % 7 == 3 ? std::nullopt : std::optional(i));
  }
  const auto all = MakeArray<int64_t>(values);
  for (int64_t first = 0; first < 70; ++first) {
    for (const int64_t rows : {0, 1, 7, 8, 63, 64, 65, 200}) {
      const auto part = Slice(all, first, rows);
      const auto column = part.values<int64_t>();
      ASSERT_TRUE(column.ok()) << column.status();
      int64_t nulls = 0;
      for (const auto value : *column) nulls += value ? 0 : 1;
      ASSERT_EQ(column->CountNulls(), nulls) << first << ", " << rows;
      ASSERT_EQ(column->HasNulls(), nulls > 0);
    }
  }
}

TEST(DecimalTypeTest, IsReadFromFormatsOf128BitsAlone) {
  for (const auto& [format, precision, scale] :
       std::vector<std::tuple<std::string, int32_t, int32_t>>{
           {"d:15,2", 15, 2}, {"d:38,-3", 38, -3}, {"d:5,0,128", 5, 0}}) {
    const auto type = alloy::DecimalType::Parse(format);
    ASSERT_TRUE(type.has_value()) << format;
    EXPECT_EQ(type->precision, precision);
    EXPECT_EQ(type->scale, scale);
    EXPECT_TRUE(format.starts_with(type->Format()));
  }
  for (const char* format :
       {"", "d", "d:", "d:5", "d:5,", "d:,2", "d:5,2,", "d:5,2,64", "d:5,2,256",
        "d:5,2,1280", "d:5,2x", "d:99999999999,2", "i", "tdD"}) {
    EXPECT_FALSE(alloy::DecimalType::Parse(format).has_value()) << format;
  }
}

// What is thrown while a table is made, the host reads as why the library does not load.
template <typename Make>
std::string FailureOf(Make make) {
  try {
    make();
  } catch (const alloy::Failure& failure) {
    return failure.text();
  }
  return "none";
}

TEST(ReadColumnTest, MoreListsThanInputsAreRefused) {
  const auto one = [](double x) { return x; };
  EXPECT_EQ(FailureOf([&] { alloy::Rows("f", {"x"}, one).Reads({{"y"}}); }),
            "function 'f' declares the columns of more inputs than the 1 that it takes");
  EXPECT_EQ(FailureOf([&] { alloy::Rows("f", {"x"}, one); }), "none");
}

TEST(AnyOutputTest, ColumnsOfDifferentLengthsAreNoBatch) {
  ArrowArray batch{};
  const std::string text = FailureOf([&batch] {
    alloy::Output<int64_t> two(&alloy::detail::AlignedResize);
    two.Append(1);
    two.Append(2);
    std::vector<alloy::AnyOutput> columns;
    columns.push_back(std::move(two));
    columns.push_back(alloy::Output<std::string>(&alloy::detail::AlignedResize));
    alloy::GiveBatch(&batch, std::move(columns));
  });
  EXPECT_EQ(text, "column 1 of the result has 0 rows, and the first one 2");
  EXPECT_EQ(batch.release, nullptr);
}

// The bytes of the rows from `first` on; "-" where one of them is no text of one byte.
std::string BytesOf(const alloy::Array& array, int64_t first, size_t rows) {
  std::string bytes(rows, '?');
  const auto strings = array.values<std::string_view>();
  if (!strings.ok()) return strings.status().ToString();
  return strings->ReadBytes(first, bytes) ? bytes : "-";
}

TEST(FlagsTest, AreReadAsBytesWhereEachIsOne) {
  const support::OptionalTexts flags = {
      "A", "N", "R", "", "AB", "F", std::nullopt, "O", "a text of more than twelve bytes",
      "P"};
  std::vector<alloy::Array> layouts;
  layouts.push_back(MakeArray(flags));
  layouts.push_back(support::MakeTexts("U", flags));
  layouts.push_back(support::MakeTexts("vu", flags));
  for (const alloy::Array& all : layouts) {
    EXPECT_EQ(BytesOf(all, 0, 3), "ANR");
    EXPECT_EQ(BytesOf(all, 2, 1), "R");
    EXPECT_EQ(BytesOf(all, 5, 1), "F");
    EXPECT_EQ(BytesOf(all, 9, 1), "P");
    EXPECT_EQ(BytesOf(all, 10, 0), "");
    // Empty, two bytes, both with the sum of two; null; long; beyond the end.
    for (const auto& [first, rows] : std::vector<std::pair<int64_t, size_t>>{
             {2, 2}, {3, 2}, {4, 1}, {5, 2}, {8, 1}, {9, 2}, {-1, 1}}) {
      EXPECT_EQ(BytesOf(all, first, rows), "-") << first << ", " << rows;
    }
    EXPECT_EQ(BytesOf(Slice(all, 1, 5), 0, 2), "NR");
    EXPECT_EQ(BytesOf(Slice(all, 1, 5), 4, 1), "F");
    EXPECT_EQ(BytesOf(Slice(all, 1, 5), 4, 2), "-");
  }
}

class ReadsTest : public ColumnsTest {
 protected:
  static alloy::Stream First() {
    std::vector<alloy::Batch> batches;
    for (int i = 0; i < 2; ++i) {
      batches.push_back(
          *MakeBatch({{"more", MakeArray<double>({0.5, 1})},
                      {"name", MakeArray<std::string>({"a", std::nullopt})},
                      {"price", MakeDecimals("d:15,2", {100 + i, std::nullopt})}}));
    }
    return alloy::Stream::Of(std::move(batches));
  }
  static alloy::Stream Second() {
    std::vector<alloy::Batch> batches;
    for (int i = 0; i < 2; ++i) {
      batches.push_back(*MakeBatch({{"other", MakeArray<bool>({true, false})},
                                    {"unread", MakeArray<bool>({true, false})},
                                    {"day", MakeArray<Date32>({Date32{i}, Date32{}})}}));
    }
    return alloy::Stream::Of(std::move(batches));
  }
  alloy::Result<alloy::Stream> Choose(const std::string& columns) {
    std::vector<alloy::Stream> inputs;
    inputs.push_back(First());
    inputs.push_back(Second());
    return bridge_.Stream("choose", std::move(inputs), {{"columns", columns}});
  }
};

TEST_F(ReadsTest, AStreamFunctionGetsTheColumnsThatItDeclaresInItsOrder) {
  auto stream = Choose("name,price,day");
  ASSERT_TRUE(stream.ok()) << stream.status();
  for (int64_t i = 0; i < 2; ++i) {
    const auto batch = stream->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
    EXPECT_EQ(ValuesOf<std::string_view>(**batch, "name"), "a null ");
    EXPECT_EQ(ValuesOf<Decimal128>(**batch, "price"), std::to_string(100 + i) + " null ");
    EXPECT_EQ(ValuesOf<Date32>(**batch, "day"), std::to_string(i) + " 0 ");
    EXPECT_EQ((*batch)->column<Decimal128>("price")->scale(), 2);
  }
  EXPECT_FALSE((*stream->Next()).has_value());
  EXPECT_EQ(lines_->Take(), (std::vector<std::string>{"[C++] price name day other ",
                                                      "[C++] price name day other "}));
}

TEST_F(ReadsTest, TheColumnsOfAResultAreChosenAtRunTime) {
  for (const auto& [columns, wanted] : std::vector<std::pair<std::string, std::string>>{
           {"", "{}"},
           {"day", "{day: Date32[2 rows]}"},
           {"name", "{name: Utf8[\"a\", null]}"}}) {
    auto stream = Choose(columns);
    ASSERT_TRUE(stream.ok()) << stream.status();
    const auto batch = stream->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
    std::ostringstream text;
    text << **batch;
    EXPECT_EQ(text.str(), wanted);
  }
}

TEST_F(ReadsTest, AColumnOfAnotherTypeIsATableOfWhatWasWanted) {
  std::vector<alloy::Stream> inputs;
  inputs.push_back(Second());
  inputs.push_back(Second());
  const auto status =
      bridge_.Stream("choose", std::move(inputs), {{"columns", "day"}}).status();
  EXPECT_EQ(status.code(), ALLOY_NO_MATCH) << status;
  EXPECT_EQ(status.input(), 0);
  EXPECT_NE(status.text().find("price"), std::string_view::npos) << status;
}

TEST_F(ReadsTest, TheFunctionTellsWhatItReads) {
  const auto functions = bridge_.Functions();
  ASSERT_TRUE(functions.ok()) << functions.status();
  std::string text;
  for (const auto& function : *functions) {
    if (function.name != "choose" && function.name != "sign") continue;
    text += function.name + ": ";
    for (const auto& input : function.columns) {
      for (const auto& column : input) text += column.name + "=" + column.accepts + "; ";
      text += "| ";
    }
  }
  EXPECT_EQ(text,
            "sign: x=d:*; day=tdD; | "
            "choose: price=d:*; name=u U vu ?:u ?:U ?:vu; | day=tdD; other=; | ");
}

}  // namespace
