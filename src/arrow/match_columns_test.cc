// SPDX-License-Identifier: MIT
#include "arrow/match_columns.h"

#include <gtest/gtest.h>

#include "alloy/testing/raw.hpp"

namespace alloy::core {
namespace {

using testing::BatchOf;
using testing::Make;
using testing::Spec;

using Columns = std::vector<int32_t>;

Result<Projection> Match(std::vector<alloy_column> wanted, std::vector<Spec> columns) {
  wanted.push_back({});
  return MatchColumns(wanted.data(), *Make(BatchOf(std::move(columns))));
}

const Spec kId{.format = "l", .name = "id"};
const Spec kName{.format = "u", .name = "name"};
const Spec kWord{.format = "c", .name = "name", .dictionary = {{.format = "U"}}};

TEST(MatchTest, FindsColumnsInAnyOrderAndCompany) {
  const auto found = Match({{"name", "", "u"}, {"id", "", "l"}},
                           {kId, {.format = "g", .name = "other"}, kName});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->columns, (Columns{2, 0}));
  EXPECT_FALSE(found->identity);
}

TEST(MatchTest, KnowsWhatFitsAlready) {
  EXPECT_TRUE(
      Match({{"id", "", nullptr}, {"name", "", nullptr}}, {kId, kName})->identity);
  EXPECT_FALSE(
      Match({{"name", "", nullptr}, {"id", "", nullptr}}, {kId, kName})->identity);
  EXPECT_FALSE(Match({{"id", "", nullptr}}, {kId, kName})->identity);
  EXPECT_TRUE(Match({}, {})->identity);
  EXPECT_FALSE(Match({}, {kId})->identity);
  EXPECT_TRUE(MatchColumns(nullptr, *Make(BatchOf({kId})))->identity);
}

TEST(MatchTest, AcceptsFormatsPrefixesAndDictionaries) {
  const auto accepts = [](const char* list, const Spec& column) {
    return Match({{column.name.c_str(), "", list}}, {column}).ok();
  };
  EXPECT_TRUE(accepts("i l", kId));
  EXPECT_TRUE(accepts("  l  ", kId));
  EXPECT_FALSE(accepts("i L", kId));
  EXPECT_FALSE(accepts("", kId));
  EXPECT_TRUE(accepts("*", kId));
  EXPECT_TRUE(accepts("u vu ?:U", kWord));
  EXPECT_TRUE(accepts("?:*", kWord));
  EXPECT_FALSE(accepts("?:u", kWord));
  EXPECT_FALSE(accepts("c", kWord));  // a plain format does not accept a dictionary
  EXPECT_FALSE(accepts("*", kWord));
  EXPECT_TRUE(accepts(nullptr, kWord));
  EXPECT_FALSE(accepts("?:u", kName));
  const Spec when{.format = "tsu:UTC", .name = "when"};
  EXPECT_TRUE(accepts("ts*", when));
  EXPECT_TRUE(accepts("tsu:*", when));
  EXPECT_FALSE(accepts("tsm:*", when));
  EXPECT_FALSE(accepts("tsu:", when));
}

TEST(MatchTest, ShowsWantedAndGotInATable) {
  const auto found = Match({{"id", "", "l"},
                            {"price", "", "f g d:*"},
                            {"när", "", "tsu:* tsm:UTC"},
                            {"name", "", "u vu ?:u"},
                            {"twice", "", nullptr}},
                           {kId,
                            {.format = "i", .name = "twice"},
                            {.format = "+l", .name = "price", .children = {kId}},
                            kWord,
                            {.format = "u", .name = "twice"}});
  ASSERT_FALSE(found.ok());
  const Fault fault = found.status().fault();
  EXPECT_EQ(fault.code, ALLOY_NO_MATCH);
  EXPECT_EQ(fault.reason, ALLOY_REASON_NONE);
  EXPECT_EQ(fault.column, 2);  // the number of the first wrong column in the batch
  EXPECT_EQ(fault.text, R"(the batch does not have the columns that the function reads:
  column  wanted                                 got
  id      Int64                                  Int64
  price   Float32 | Float64 | Decimal            List(Int64)                  <- wrong type
  när     Timestamp(us, *) | Timestamp(ms, UTC)  -                            <- missing
  name    Utf8 | Utf8View | Dictionary(*, Utf8)  Dictionary(Int8, LargeUtf8)  <- wrong type
  twice   any type                               Int32                        <- more than once)");
}

TEST(MatchTest, CountsTheWrongColumnInPreorder) {
  const Spec nested{.format = "+s", .name = "n", .children = {kId, kName}};
  const auto found = Match({{"name", "", "i"}}, {nested, kName});
  EXPECT_EQ(found.status().fault().column, 3);
}

TEST(MatchTest, IgnoresDuplicatesOfColumnsThatAreNotRead) {
  const auto found = Match({{"id", "", "l"}}, {kName, kName, kId});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->columns, Columns{2});
}

TEST(MatchTest, MatchesUnnamedColumnsByTheEmptyName) {
  OwnedSchema schema = Make(BatchOf({{.format = "l"}}));
  schema->children[0]->name = nullptr;
  const alloy_column wanted[] = {{"", "", "l"}, {}};
  EXPECT_TRUE(MatchColumns(wanted, *schema).ok());
}

TEST(MatchTest, ShowsWhatIsWrongFirstWhenThereAreMany) {
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back("column" + std::to_string(i));
  std::vector<alloy_column> wanted;
  std::vector<Spec> columns;
  for (const std::string& name : names) {
    wanted.push_back({name.c_str(), "", "l"});
    if (name != "column39") columns.push_back({.format = "l", .name = name});
  }
  const std::string text = Match(wanted, columns).status().fault().text;
  EXPECT_LT(text.find("column39"), text.find("column0 "));
  EXPECT_TRUE(text.ends_with("\n  … 28 more")) << text;
  EXPECT_LT(text.size(), 1000u);
}

TEST(MatchTest, RefusesADeclarationThatNamesAColumnTwice) {
  EXPECT_EQ(Match({{"id", "", "l"}, {"id", "", "l"}}, {kId}).status().code(),
            ALLOY_INVALID);
}

TEST(MatchTest, RefusesWhatIsNoBatch) {
  const alloy_column wanted[] = {{}};
  EXPECT_EQ(MatchColumns(wanted, *Make(kId)).status().reason(), ALLOY_REASON_NOT_A_BATCH);
}

}  // namespace
}  // namespace alloy::core
