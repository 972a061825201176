// SPDX-License-Identifier: MIT
#include "alloy/testing/sample_table.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "alloy/testing/sample.hpp"

namespace alloy::testing {
namespace {

TEST(SampleTableTest, ReadsQuotesLineFeedsAndNulls) {
  const auto table =
      SampleTable::ParseCsv("a,\"b \"\"c\"\"\"\r\n1,\"x\ny\"\r\n,\"\"\r\n");
  ASSERT_TRUE(table.ok()) << table.status();
  const auto* a = table->Find("a");
  const auto* b = table->Find("b \"c\"");
  ASSERT_NE(a, nullptr);
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(*a, (std::vector<SampleTable::Text>{"1", std::nullopt}));
  EXPECT_EQ(*b, (std::vector<SampleTable::Text>{"x\ny", ""}));
  EXPECT_EQ(table->Find("c"), nullptr);
  EXPECT_EQ(table->Guess().children[0].format, "l");
  EXPECT_EQ(table->Guess().children[1].format, "u");
}

TEST(SampleTableTest, SaysWhatIsWrongWithAFile) {
  for (const char* csv : {"", "a,b\n", "a,b\n1\n", "a\n\"1\n"}) {
    EXPECT_FALSE(SampleTable::ParseCsv(csv).ok()) << csv;
  }
}

struct Value {
  const char* format;
  const char* text;
  int64_t width;
  int64_t value;
};

TEST(SampleTableTest, WritesValuesOfEveryTypeOfFixedWidth) {
  for (const Value& value :
       {Value{"l", "-7", 8, -7}, Value{"tdD", "1970-01-03", 4, 2},
        Value{"tdm", "1970-01-02", 8, 86'400'000},
        Value{"tsu:UTC", "1970-01-01T00:00:01.5Z", 8, 1'500'000},
        Value{"ttm", "00:01:00", 4, 60'000}, Value{"tss:", "12", 8, 12},
        Value{"d:9,2", "-1.5", 8, -150}, Value{"b", "true", 1, 1}}) {
    uint8_t out[16] = {};
    ASSERT_TRUE(WriteText(value.format, value.text, value.width, out)) << value.format;
    EXPECT_EQ(std::memcmp(out, &value.value, static_cast<size_t>(value.width)), 0)
        << value.format;
  }
  uint8_t out[16] = {};
  for (const auto& [format, text] :
       {std::pair("l", "1.5"), std::pair("c", "300"), std::pair("tdD", "2023-02-30"),
        std::pair("b", "yes"), std::pair("d:9,2", "1.555"), std::pair("w:2", "abc")}) {
    EXPECT_FALSE(WriteText(format, text, 2, out)) << format << " " << text;
  }
}

TEST(SampleTableTest, ItsRowsComeAgainAndKeepTheirPlace) {
  const auto table = SampleTable::ParseCsv("x,t\n10,one\n20,\n30,three\n");
  ASSERT_TRUE(table.ok());
  const Spec batch = BatchOf({{.format = "l", .name = "x"},
                              {.format = "u", .name = "t"},
                              {.format = "l", .name = "other"}});
  for (const int64_t before : {0, 2}) {
    const Sample sample(batch,
                        {.rows = 4, .first_row = 1, .before = before, .table = &*table});
    const ArrowArray& x = *sample.array().children[0];
    const auto* values = static_cast<const int64_t*>(x.buffers[1]) + x.offset;
    EXPECT_EQ(std::vector<int64_t>(values, values + 4),
              (std::vector<int64_t>{20, 30, 10, 20}));
    EXPECT_EQ(sample.array().children[1]->null_count, 2);
  }
}

}  // namespace
}  // namespace alloy::testing
