// SPDX-License-Identifier: MIT
//
// Q1 and Q6 of each backend on rows that are made by hand and by a seed.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/support.h"
#include "tests/tpch/lines.h"

namespace {

using tpch_test::Answer;
using tpch_test::Decimal128;
using tpch_test::Line;
using tpch_test::Lines;
using tpch_test::MakeLine;
using tpch_test::TextOf;
using Rows = std::vector<std::string>;

constexpr const char* kBackends[] = {"tpch_cpp",
#ifdef ALLOY_TEST_RUST
                                     "tpch_rust"
#endif
};
constexpr const char* kLayouts[] = {"u", "U", "vu"};
constexpr int32_t kIn1994 = 8'800;

Decimal128 TenTo(int power) {
  Decimal128 value = 1;
  while (power-- > 0) value *= 10;
  return value;
}

class QueriesTest : public testing::TestWithParam<const char*> {
 protected:
  Rows Q1(const std::vector<Lines>& batches, const std::string& layout = "vu") {
    return Answer(bridge_, "q1", batches, layout);
  }
  Rows Q6(const std::vector<Lines>& batches) { return Answer(bridge_, "q6", batches); }

  alloy::Bridge bridge_ = support::Load(GetParam());
};

TEST_P(QueriesTest, ThePricingIsWhatOneWorksOutByHand) {
  const std::vector<Lines> batches = {
      // 10 pieces for 1000.00, 5 % off, 8 % tax: 950.0000, 1026.000000.
      {MakeLine({1'000, 100'000, 5, 8}, "R", "F", kIn1994),
       // 1 piece for 0.01, nothing off, nothing added.
       MakeLine({100, 1, 0, 0}, "A", "F", 10'471)},
      // A day too late.
      {MakeLine({9'999, 9'999, 9, 9}, "A", "F", 10'472),
       MakeLine({200, 300, 100, 0}, "R", "F", 0)}};
  for (const char* layout : kLayouts) {
    EXPECT_EQ(Q1(batches, layout),
              (Rows{"A F 100 1 100 10000 1 0.01 0 1 ",
                    "R F 1200 100300 9500000 1026000000 6 501.5 0.52500000000000002 2 "}))
        << layout;
  }
}

TEST_P(QueriesTest, TheResultsHaveTheTypesOfDuckdb) {
  for (const auto& [function, wanted] : std::map<std::string, std::string>{
           {"q1",
            "l_returnflag:u l_linestatus:u sum_qty:d:38,2 sum_base_price:d:38,2 "
            "sum_disc_price:d:38,4 sum_charge:d:38,6 avg_qty:g avg_price:g avg_disc:g "
            "count_order:l "},
           {"q6", "revenue:d:38,4 "}}) {
    std::vector<alloy::Batch> none;
    none.push_back(tpch_test::BatchOf("vu", {}));
    auto stream = bridge_.Stream(function, alloy::Stream::Of(std::move(none)));
    ASSERT_TRUE(stream.ok()) << stream.status();
    const ArrowSchema& schema = stream->schema();
    std::string types;
    for (int64_t i = 0; i < schema.n_children; ++i) {
      types += std::string(schema.children[i]->name) + ":" + schema.children[i]->format;
      types += " ";
    }
    EXPECT_EQ(types, wanted);
  }
}

TEST_P(QueriesTest, TheRevenueIsWhatOneWorksOutByHand) {
  const Lines wanted = {MakeLine({2'399, 1'000, 5, 0}, "", "", 8'766),
                        MakeLine({100, 2'000, 7, 0}, "", "", 9'130)};
  const Lines unwanted = {MakeLine({100, 9'999, 4, 0}, "", "", kIn1994),
                          MakeLine({100, 9'999, 8, 0}, "", "", kIn1994),
                          MakeLine({2'400, 9'999, 6, 0}, "", "", kIn1994),
                          MakeLine({100, 9'999, 6, 0}, "", "", 8'765),
                          MakeLine({100, 9'999, 6, 0}, "", "", 9'131)};
  EXPECT_EQ(Q6({wanted, unwanted}), Rows{"19000 "});
  EXPECT_EQ(Q6({unwanted}), Rows{"null "});
}

TEST_P(QueriesTest, OfNoRowsThereIsNoGroupAndNoRevenue) {
  EXPECT_EQ(Q1({}), Rows());
  EXPECT_EQ(Q1({{}, {}}, "u"), Rows());
  EXPECT_EQ(Q6({}), Rows{"null "});
  const Lines one = {MakeLine({100, 200, 6, 0}, "A", "F", kIn1994)};
  EXPECT_EQ(Q1({{}, one, {}}),
            Rows{"A F 100 200 18800 1880000 1 2 0.059999999999999998 1 "});
  EXPECT_EQ(Q6({{}, one, {}}), Rows{"1200 "});
}

TEST_P(QueriesTest, NullsAreAsSqlHasThem) {
  const Line full = MakeLine({100, 200, 10, 5}, "N", "O", 0);
  Lines lines(5, full);
  lines[0].discount.reset();
  lines[1].tax.reset();
  lines[2].day.reset();
  lines[3].status.reset();
  lines[3].quantity.reset();
  lines[4].flag.reset();
  for (const char* layout : kLayouts) {
    EXPECT_EQ(Q1({lines}, layout),
              (Rows{"N O 200 400 18000 null 1 2 0.10000000000000001 2 ",
                    "N null null 200 18000 1890000 null 2 0.10000000000000001 1 ",
                    "null O 100 200 18000 1890000 1 2 0.10000000000000001 1 "}));
  }
  const Line wanted = MakeLine({100, 200, 6, 0}, "", "", kIn1994);
  Line unknown = wanted;
  unknown.price.reset();
  EXPECT_EQ(Q6({{unknown}}), Rows{"null "});
  EXPECT_EQ(Q6({{unknown, wanted}}), Rows{"1200 "});
}

TEST_P(QueriesTest, FlagsMayBeLongerAndMany) {
  Lines lines;
  for (char flag = 20; flag < 120; ++flag) {
    lines.push_back(MakeLine({100, 100, 100, 100}, std::string(1, flag), "x", 0));
  }
  lines.push_back(
      MakeLine({100, 100, 100, 100}, "a flag of more than twelve bytes", "x", 0));
  lines.push_back(MakeLine({100, 100, 100, 100}, "", "é", 0));
  const Lines half(lines.begin(), lines.begin() + 50);
  for (const char* layout : kLayouts) {
    const Rows rows = Q1({lines, half, lines}, layout);
    ASSERT_EQ(rows.size(), 102U) << layout;
    EXPECT_EQ(rows[0], " é 200 200 0 0 1 1 1 2 ");
    EXPECT_EQ(rows[1], "\x14 x 300 300 0 0 1 1 1 3 ");
    EXPECT_EQ(rows[78], "a x 200 200 0 0 1 1 1 2 ");
    EXPECT_EQ(rows[79], "a flag of more than twelve bytes x 200 200 0 0 1 1 1 2 ");
  }
}

TEST_P(QueriesTest, GreatNumbersAreExactAndNeverWrap) {
  const Decimal128 most = TenTo(15) - 1;
  const Decimal128 rate = TenTo(8);
  const Lines great = {MakeLine({most, most, -rate, rate}, "A", "F", 0),
                       MakeLine({100, 100, 0, 0}, "A", "F", 0)};
  const Lines small(great.begin() + 1, great.end());
  const Decimal128 discounted = most * (100 + rate);
  const Rows rows = Q1({great, small});
  ASSERT_EQ(rows.size(), 1U);
  const std::string sums = "A F " + TextOf(most + 200) + " " + TextOf(most + 200) + " " +
                           TextOf(discounted + 20'000) + " " +
                           TextOf(discounted * (100 + rate) + 2'000'000) + " ";
  EXPECT_EQ(rows[0].substr(0, sums.size()), sums);
}

TEST_P(QueriesTest, AnOverflowIsAnError) {
  const auto ends = [](const Rows& rows, const std::string& text) {
    return rows.size() == 1 && rows[0].starts_with("FAILED") && rows[0].ends_with(text);
  };
  const Decimal128 huge = TenTo(37);
  const std::string text = " overflows a decimal of 38 digits";
  const Rows product = Q1({{MakeLine({huge, huge, huge, huge}, "A", "F", 0)}});
  EXPECT_TRUE(ends(product, text)) << product[0];
  // 128 bits hold the sum, 38 digits do not.
  const Lines sum(11, MakeLine({huge, 0, 0, 0}, "A", "F", 0));
  const Rows digits = Q1({sum});
  EXPECT_TRUE(ends(digits, "sum_qty" + text)) << digits[0];
  const Lines revenue(2, MakeLine({100, huge, 6, 0}, "", "", kIn1994));
  const Rows q6 = Q6({revenue});
  EXPECT_TRUE(ends(q6, "revenue" + text)) << q6[0];
}

// The average of so many values with this sum: of quantities, beside their sum; of
// discounts, alone.
TEST_P(QueriesTest, AveragesAreRoundedAsDuckdbRoundsThem) {
  const auto averages = [this](int64_t sum, size_t count) {
    Lines lines(count, MakeLine({0, 0, 0, 0}, "A", "F", 0));
    lines[0].quantity = lines[0].discount = sum;
    const auto words = Q1({lines})[0];
    std::istringstream row(words);
    Rows split;
    for (std::string word; row >> word;) split.push_back(word);
    return std::pair(split[6], split[8]);
  };
  // What DuckDB 2.0 says of 930667690940194124 hundredths as a double: above 2^53 a
  // quotient of doubles would miss it.
  EXPECT_EQ(averages(930'667'690'940'194'124, 1).first, TextOf(9'306'676'909'401'942.0));
  EXPECT_EQ(averages(1'303'459'222, 353),
            std::pair(TextOf(36'925.190'424'929'184), TextOf(36'925.190'424'929'18)));
  EXPECT_EQ(averages(-100, 3), std::pair(TextOf(-1.0 / 3.0), TextOf(-1.0 / 3.0)));
#ifdef __x86_64__
  // Rounding once gives 4371956434342.765 and 5628108359303.919.
  EXPECT_EQ(averages(522'448'793'903'960'463, 1'195).second,
            TextOf(4'371'956'434'342.765'6));
  EXPECT_EQ(averages(386'651'044'284'179'198, 687).second, TextOf(5'628'108'359'303.918));
#endif
}

// Numbers that look random and are the same in every run.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  int64_t Below(uint64_t limit) {
    state_ = state_ * 6'364'136'223'846'793'005U + 1;
    return static_cast<int64_t>((state_ >> 33) % limit);
  }
  // As the generator of TPC-H draws them, one in `odd` of a size that it never has.
  Line NextLine(uint64_t odd) {
    const int64_t scale = Below(odd) == 0 ? 1 << 14 : 1;
    const Decimal128 quantity = 100 * (1 + Below(50));
    const Decimal128 price = Decimal128{90'000 + Below(10'000'000)} * scale;
    const Decimal128 discount = Below(11);
    const Decimal128 tax = Below(9);
    const std::string flag(1, "ANR"[Below(3)]);
    const std::string status(1, "FO"[Below(2)]);
    return MakeLine({quantity, price, discount, tax}, flag, status,
                    static_cast<int32_t>(8'036 + Below(2'526)));
  }

 private:
  uint64_t state_;
};

std::vector<Lines> RandomBatches(Random* random) {
  std::vector<Lines> batches;
  for (const size_t length : {5'000, 0, 1, 1'023, 1'024, 1'025, 4'096}) {
    Lines lines;
    for (size_t i = 0; i < length; ++i) lines.push_back(random->NextLine(2'000));
    batches.push_back(std::move(lines));
  }
  return batches;
}

TEST_P(QueriesTest, RandomRowsAddUpAsANaiveProgramSays) {
  Random random(20);
  const auto batches = RandomBatches(&random);
  std::map<std::string, std::array<Decimal128, 6>> groups;
  Decimal128 revenue = 0;
  for (const Lines& lines : batches) {
    for (const Line& line : lines) {
      const Decimal128 cost = *line.price * (100 - *line.discount);
      if (line.day->days <= 10'471) {
        auto& sums = groups[*line.flag + " " + *line.status + " "];
        sums[0] += *line.quantity;
        sums[1] += *line.price;
        sums[2] += cost;
        sums[3] += cost * (100 + *line.tax);
        sums[4] += *line.discount;
        ++sums[5];
      }
      if (line.day->days >= 8'766 && line.day->days < 9'131 && *line.discount >= 5 &&
          *line.discount <= 7 && *line.quantity < 2'400) {
        revenue += *line.price * *line.discount;
      }
    }
  }
  Rows expected;
  for (const auto& [key, sums] : groups) {
    std::string row = key;
    for (size_t i = 0; i < 4; ++i) row += TextOf(sums[i]) + " ";
    const auto count = static_cast<double>(sums[5]);
    for (const size_t i : {0, 1}) {  // sums below 2^53: a quotient of doubles is right
      row += TextOf(static_cast<double>(static_cast<int64_t>(sums[i])) / 100 / count);
      row += " ";
    }
    const auto alone = static_cast<long double>(static_cast<int64_t>(sums[4])) /
                       (static_cast<long double>(count) * 100);
    row += TextOf(static_cast<double>(alone)) + " ";
    expected.push_back(row + TextOf(static_cast<int64_t>(sums[5])) + " ");
  }
  ASSERT_EQ(expected.size(), 6U);
  for (const char* layout : kLayouts) EXPECT_EQ(Q1(batches, layout), expected) << layout;
  EXPECT_EQ(Q6(batches), Rows{TextOf(revenue) + " "});
}

TEST_P(QueriesTest, TheColumnsAreDeclaredForReaders) {
  const auto functions = bridge_.Functions();
  ASSERT_TRUE(functions.ok()) << functions.status();
  std::map<std::string, std::string> declared;
  for (const auto& function : *functions) {
    for (const auto& column : function.columns.at(0)) {
      declared[function.name] += column.name + "=" + column.accepts + "; ";
    }
  }
  EXPECT_EQ(declared["q1"],
            "l_quantity=d:15,2; l_extendedprice=d:15,2; l_discount=d:15,2; "
            "l_tax=d:15,2; l_returnflag=u U vu; l_linestatus=u U vu; l_shipdate=tdD; ");
  EXPECT_EQ(declared["q6"],
            "l_quantity=d:15,2; l_extendedprice=d:15,2; l_discount=d:15,2; "
            "l_shipdate=tdD; ");
}

#ifdef ALLOY_TEST_RUST
TEST(BothQueriesTest, SayTheSameOfRowsWithNulls) {
  Random random(7);
  auto batches = RandomBatches(&random);
  for (Lines& lines : batches) {
    for (Line& line : lines) {
      switch (random.Below(40)) {
        case 0:
          line.quantity.reset();
          break;
        case 1:
          line.price.reset();
          break;
        case 2:
          line.discount.reset();
          break;
        case 3:
          line.tax.reset();
          break;
        case 4:
          line.flag.reset();
          break;
        case 5:
          line.status.reset();
          break;
        case 6:
          line.day.reset();
          break;
        default:
          break;
      }
    }
  }
  alloy::Bridge cpp = support::Load("tpch_cpp");
  alloy::Bridge rust = support::Load("tpch_rust");
  for (const char* layout : kLayouts) {
    const Rows rows = Answer(cpp, "q1", batches, layout);
    EXPECT_EQ(rows.size(), 11U);
    EXPECT_EQ(rows, Answer(rust, "q1", batches, layout));
  }
  EXPECT_EQ(Answer(cpp, "q6", batches), Answer(rust, "q6", batches));
}
#endif

std::string NameOf(const testing::TestParamInfo<const char*>& info) { return info.param; }

INSTANTIATE_TEST_SUITE_P(Backends, QueriesTest, testing::ValuesIn(kBackends), NameOf);

}  // namespace
