// SPDX-License-Identifier: MIT
#include "arrow/layout.h"

#include <gtest/gtest.h>

#include <functional>

#include "alloy/testing/raw.hpp"
#include "arrow/schema_walk.h"

namespace alloy::core {
namespace {

using testing::BatchOf;
using testing::EveryRawColumn;
using testing::Make;
using testing::RawColumn;
using testing::Spec;

using Poke = std::function<void(ArrowSchema*)>;

void ExpectFault(const Spec& value, const Poke& poke, int32_t reason, int32_t column,
                 std::string_view text) {
  SCOPED_TRACE(std::string(text));
  OwnedSchema schema = Make(value);
  if (poke) poke(schema.get());
  const Status status = Layout::Of(*schema).status();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
  EXPECT_EQ(status.reason(), reason);
  EXPECT_EQ(status.fault().column, column);
  EXPECT_NE(status.fault().text.find(text), std::string::npos) << status.fault().text;
}

TEST(LayoutTest, ReadsEveryFormatOfTheSpecification) {
  for (const RawColumn& kind : EveryRawColumn()) {
    const auto layout = Layout::Of(*Make(kind.spec));
    EXPECT_TRUE(layout.ok()) << kind.spec.name << ": " << layout.status().fault().text;
  }
}

TEST(LayoutTest, CountsColumnsInPreorderWithTheDictionaryAfterItsIndex) {
  const Spec item{.format = "u", .name = "item"};
  const auto layout = Layout::OfBatch(*Make(BatchOf({
      {.format = "i", .name = "a", .dictionary = {{.format = "+l", .children = {item}}}},
      {.format = "+s", .name = "b", .children = {{.format = "l"}, item}},
  })));
  ASSERT_TRUE(layout.ok());
  ASSERT_EQ(layout->nodes().size(), 7u);
  EXPECT_EQ(layout->n_columns(), 2);
  EXPECT_EQ(layout->nodes()[0].subtree, 7);
  EXPECT_EQ(layout->nodes()[1].subtree, 3);
  EXPECT_TRUE(layout->nodes()[1].dictionary);
  EXPECT_EQ(layout->nodes()[4].subtree, 3);
  EXPECT_EQ(layout->Path(-1), "");
  EXPECT_EQ(layout->Path(2), "a.dictionary.item");
  EXPECT_EQ(layout->Path(4), "b.#0");
  EXPECT_EQ(layout->Path(5), "b.item");
  EXPECT_EQ(layout->name(3), "b");
}

TEST(LayoutTest, KeepsNothingOfTheSchema) {
  OwnedSchema schema = Make(BatchOf({{.format = "i", .name = "short lived"}}));
  const auto layout = Layout::OfBatch(*schema);
  schema.Release();
  EXPECT_EQ(layout->name(0), "short lived");
}

TEST(LayoutTest, RefusesUnknownFormats) {
  for (const char* format : {"", "x", "ii", "td", "tdX", "tt", "ts", "tsx:", "+", "+x",
                             "+uq:0", "v", "vx", "d", "w", "+w", "i ", "tDx", "ti"}) {
    const auto status = Layout::Of(*Make(Spec{.format = format})).status();
    EXPECT_TRUE(status.reason() == ALLOY_REASON_FORMAT_UNKNOWN ||
                status.reason() == ALLOY_REASON_FORMAT_PARAMETER)
        << format;
  }
  ExpectFault({.format = "zz"}, {}, ALLOY_REASON_FORMAT_UNKNOWN, -1,
              "the format \"zz\" is not in the Arrow C data interface");
  ExpectFault({.format = ""}, {}, ALLOY_REASON_FORMAT_UNKNOWN, -1,
              "the format \"\" is not");
}

TEST(LayoutTest, RefusesParametersOutOfRange) {
  for (const char* format :
       {"w:-1",    "w:",           "w:x",          "w:1x",        "w:99999999999",
        "+w:-1",   "+w:",          "d:5",          "d:",          "d:5,",
        "d:,5",    "d:5,2,",       "d:5,2,16",     "d:5,2,128,1", "d:0,0",
        "d:39,0",  "d:77,0,256",   "d:10,0,32",    "d:19,0,64",   "d: 5,2",
        "tss",     "tsuUTC",       "+us",          "+us0",        "+us:-1",
        "+us:128", "+us:1,1",      "+us:1,",       "+ud:,1",      "+ud:a",
        "+ud:1 ",  "w:2147483648", "+w:4294967296"}) {
    EXPECT_EQ(Layout::Of(*Make(Spec{.format = format})).status().reason(),
              ALLOY_REASON_FORMAT_PARAMETER)
        << format;
  }
}

TEST(LayoutTest, NamesTheColumnAndEscapesWhatIsNotUtf8) {
  ExpectFault(
      BatchOf({{.format = "i"},
               {.format = "+l", .name = "a\xFF", .children = {{.format = "q\n"}}}}),
      {}, ALLOY_REASON_FORMAT_UNKNOWN, 2, "column 2 (a\\xff.#0): ");
  ExpectFault(Spec{.format = "q\n"}, {}, ALLOY_REASON_FORMAT_UNKNOWN, -1, "\"q\\n\"");
}

TEST(LayoutTest, RefusesSchemasThatAreNotThere) {
  const Spec batch = BatchOf({{.format = "i", .name = "a"}});
  ArrowSchema never{};
  EXPECT_EQ(Layout::Of(never).status().reason(), ALLOY_REASON_SCHEMA_RELEASED);
  ExpectFault(
      batch, [](ArrowSchema* s) { OwnedSchema(s->children[0]).Release(); },
      ALLOY_REASON_SCHEMA_RELEASED, 0, "column 0 (#0)");
  ExpectFault(
      batch, [](ArrowSchema* s) { s->children[0]->format = nullptr; },
      ALLOY_REASON_FORMAT_NULL, 0, "column 0 (a)");
  ExpectFault(
      batch, [](ArrowSchema* s) { s->children = nullptr; }, ALLOY_REASON_CHILDREN_NULL,
      -1, "top level: expected 1 child, but the pointer to them is NULL");
  ArrowSchema* none[] = {nullptr};
  ExpectFault(
      batch, [&](ArrowSchema* s) { s->children = none; }, ALLOY_REASON_CHILD_NULL, 0,
      "the pointer to this schema is NULL");
}

TEST(LayoutTest, RefusesCountsBeforeReadingThatFar) {
  const auto count = [](int64_t n) {
    return [n](ArrowSchema* s) {
      s->n_children = n;
      s->children = nullptr;
    };
  };
  ExpectFault({.format = "+s"}, count(int64_t{1} << 40), ALLOY_REASON_TOO_MANY_COLUMNS,
              -1, "found 1099511627776 children");
  ExpectFault({.format = "+s"}, count(1 << 21), ALLOY_REASON_TOO_MANY_COLUMNS, -1,
              "expected at most 1048576 columns");
  ExpectFault({.format = "+s"}, count(-1), ALLOY_REASON_CHILD_COUNT, -1,
              "expected at least 0 children, found -1");
  ExpectFault({.format = "+l"}, count(int64_t{1} << 40), ALLOY_REASON_CHILD_COUNT, -1,
              "expected 1 child, found ");
  ExpectFault({.format = "+l"}, {}, ALLOY_REASON_CHILD_COUNT, -1,
              "expected 1 child, found 0");
  ExpectFault({.format = "i", .children = {{.format = "i"}}}, {},
              ALLOY_REASON_CHILD_COUNT, -1, "expected 0 children, found 1");
  ExpectFault({.format = "+us:1,2", .children = {{.format = "i"}}}, {},
              ALLOY_REASON_CHILD_COUNT, -1, "expected 2 children, found 1");
  ExpectFault({.format = "+r", .children = {{.format = "i"}}}, {},
              ALLOY_REASON_CHILD_COUNT, -1, "expected 2 children, found 1");
}

TEST(LayoutTest, RefusesASchemaThatContainsItself) {
  ExpectFault(
      {.format = "+l", .children = {{.format = "i"}}},
      [](ArrowSchema* s) { s->children[0] = s; }, ALLOY_REASON_TOO_DEEP, 64,
      "the schema has more than 64 levels");
  // Each level has the next one twice: 2^64 nodes, were there no limit.
  ExpectFault(
      {.format = "+s", .children = {{.format = "i"}, {.format = "i"}}},
      [](ArrowSchema* s) { s->children[0] = s->children[1] = s; }, ALLOY_REASON_TOO_DEEP,
      64, "levels");
}

TEST(LayoutTest, CountsColumnsOfAllLevelsTogether) {
  // The same child of 1,024 columns, 1,024 times.
  OwnedSchema inner = Make(Spec{.format = "+s"});
  OwnedSchema leaf = Make(Spec{.format = "i"});
  OwnedSchema outer = Make(Spec{.format = "+s"});
  std::vector<ArrowSchema*> leaves(1024, leaf.get()), inners(1024, inner.get());
  inner->children = leaves.data();
  outer->children = inners.data();
  inner->n_children = outer->n_children = 1024;
  const auto status = Layout::Of(*outer).status();
  EXPECT_EQ(status.reason(), ALLOY_REASON_TOO_MANY_COLUMNS);
  outer->n_children = 1023;  // and 1,023 more for the structs themselves
  const auto most = Layout::Of(*outer);
  ASSERT_TRUE(most.ok());
  EXPECT_EQ(most->nodes().size(), 1u + 1023 * 1025);
}

TEST(LayoutTest, AllowsSixtyFourLevels) {
  Spec schema{.format = "i"};
  for (int i = 0; i < 64; ++i) schema = {.format = "+l", .children = {schema}};
  EXPECT_TRUE(Layout::Of(*Make(schema)).ok());
  schema = {.format = "+l", .children = {schema}};
  EXPECT_EQ(Layout::Of(*Make(schema)).status().reason(), ALLOY_REASON_TOO_DEEP);
}

TEST(LayoutTest, RefusesWhatParentsDoNotAllow) {
  const Spec utf8{.format = "u"};
  ExpectFault({.format = "u", .dictionary = {utf8}}, {}, ALLOY_REASON_DICTIONARY_INDEX,
              -1,
              "expected an integer type for the indices of a dictionary, found \"u\"");
  ExpectFault({.format = "+r", .children = {{.format = "C"}, utf8}}, {},
              ALLOY_REASON_RUN_ENDS_TYPE, 0, "found \"C\"");
  ExpectFault({.format = "+r", .children = {{.format = "i", .dictionary = {utf8}}, utf8}},
              {}, ALLOY_REASON_RUN_ENDS_TYPE, 0, "found a dictionary");
  ExpectFault({.format = "+m", .children = {utf8}}, {}, ALLOY_REASON_MAP_ENTRIES, 0,
              "found \"u\" with 0 children");
  ExpectFault({.format = "+m", .children = {{.format = "+s", .children = {utf8}}}}, {},
              ALLOY_REASON_MAP_ENTRIES, 0, "found \"+s\" with 1 child");
}

TEST(LayoutTest, RefusesMetadataWithFalseLengths) {
  const auto numbers = [](std::vector<int32_t> values) {
    return std::string(reinterpret_cast<const char*>(values.data()), values.size() * 4);
  };
  for (const std::string& block : {numbers({-1}), numbers({1, -1}), numbers({1, 0, -5}),
                                   numbers({1, 0x7fffffff}), numbers({1, 0, 64 << 20})}) {
    ExpectFault({.format = "i", .metadata = block}, {}, ALLOY_REASON_METADATA, -1,
                "expected lengths from 0 to 64 MiB");
  }
  EXPECT_TRUE(Layout::Of(*Make(Spec{.format = "i", .metadata = numbers({0})})).ok());
  EXPECT_TRUE(Layout::Of(*Make(Spec{.format = "i",
                                    .metadata = testing::RawMetadata("k", "value")}))
                  .ok());
}

TEST(LayoutTest, TakesOnlyStructsAsBatches) {
  EXPECT_EQ(Layout::OfBatch(*Make(Spec{.format = "i"})).status().reason(),
            ALLOY_REASON_NOT_A_BATCH);
  EXPECT_EQ(Layout::OfBatch(*Make(Spec{.format = "i", .dictionary = {{.format = "+s"}}}))
                .status()
                .reason(),
            ALLOY_REASON_NOT_A_BATCH);
  EXPECT_TRUE(Layout::OfBatch(*Make(BatchOf({}))).ok());
}

}  // namespace
}  // namespace alloy::core
