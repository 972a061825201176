// SPDX-License-Identifier: MIT
#include "arrow/schema.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <thread>

#include "alloy/testing/raw.hpp"
#include "arrow/layout.h"
#include "arrow/type_name.h"

namespace alloy::core {
namespace {

using testing::EveryRawColumn;
using testing::Make;
using testing::RawColumn;
using testing::ReleaseCount;
using testing::Spec;

std::string Key(const ArrowSchema& schema) {
  std::string key;
  EXPECT_TRUE(AppendFingerprint(schema, &key).ok());
  return key;
}

Spec Rich() {
  return {.format = "+s",
          .name = "root",
          .children = {
              {.format = "tsu:+01:00",
               .name = "when",
               .flags = 0,
               .metadata = testing::RawMetadata("unit", std::string("a\0b", 3))},
              {.format = "i",
               .name = "word",
               .dictionary = {{.format = "u", .metadata = testing::RawMetadata("k", "")}},
               .flags = ARROW_FLAG_NULLABLE | ARROW_FLAG_DICTIONARY_ORDERED},
              {.format = "+m",
               .name = "map",
               .children = {{.format = "+s",
                             .name = "entries",
                             .children = {{.format = "u", .flags = 0},
                                          {.format = "i", .flags = 0}}}},
               .flags = ARROW_FLAG_MAP_KEYS_SORTED}}};
}

TEST(SchemaTest, CopiesFlagsMetadataDictionariesAndNesting) {
  OwnedSchema original = Make(Rich());
  const std::string key = Key(*original);
  auto copy = CopySchema(*original);
  ASSERT_TRUE(copy.ok());
  original.Release();  // the copy does not need it
  ArrowSchema& root = **copy;
  EXPECT_EQ(Key(root), key);
  EXPECT_STREQ(root.children[0]->format, "tsu:+01:00");
  EXPECT_EQ(std::string(root.children[0]->metadata, 4 + 4 + 4 + 4 + 3),
            testing::RawMetadata("unit", std::string("a\0b", 3)));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(root.children[0]->metadata) % 8, 0u);
  EXPECT_EQ(root.children[1]->flags, 3);
  EXPECT_EQ(root.children[1]->dictionary->flags, 2);
  EXPECT_EQ(root.children[1]->metadata, nullptr);
  EXPECT_EQ(root.children[2]->flags, 4);
  EXPECT_EQ(root.children[2]->children[0]->children[1]->flags, 0);
}

TEST(SchemaTest, CopiesEveryType) {
  for (const RawColumn& column : EveryRawColumn()) {
    OwnedSchema original = Make(column.spec);
    const auto copy = CopySchema(*original);
    ASSERT_TRUE(copy.ok()) << column.spec.name;
    EXPECT_EQ(Key(**copy), Key(*original)) << column.spec.name;
  }
}

TEST(SchemaTest, KeepsANameThatIsNull) {
  OwnedSchema original = Make(Spec{.format = "i"});
  const std::string unnamed = Key(*original);
  original->name = nullptr;
  const auto copy = CopySchema(*original);
  ASSERT_TRUE(copy.ok());
  EXPECT_EQ((*copy)->name, nullptr);
  EXPECT_NE(Key(**copy), unnamed);
}

TEST(SchemaTest, LetsPartsOfACopyBeMovedOut) {
  OwnedSchema original = Make(Rich());
  auto copy = CopySchema(*original);
  ASSERT_TRUE(copy.ok());
  OwnedSchema map((*copy)->children[2]);
  OwnedSchema entries(map->children[0]);
  OwnedSchema words((*copy)->children[1]->dictionary);
  copy->Release();
  EXPECT_STREQ(words->format, "u");
  EXPECT_EQ(TypeName(*entries), "Struct(: Utf8, : Int32)");
  std::thread([moved = std::move(map)]() mutable { moved.Release(); }).join();
  EXPECT_STREQ(entries->children[1]->format, "i");
}

TEST(SchemaTest, ReleasesWhatWasMovedIntoACopy) {
  ReleaseCount released = 0;
  {
    OwnedSchema original = Make(Spec{.format = "+l", .children = {{.format = "i"}}});
    auto copy = CopySchema(*original);
    ASSERT_TRUE(copy.ok());
    OwnedSchema((*copy)->children[0]).Release();
    Make(Spec{.format = "u"}, &released).MoveTo((*copy)->children[0]);
  }
  EXPECT_EQ(released, 1);
}

TEST(SchemaTest, TellsSchemasApartThatDifferAnywhere) {
  std::set<std::string> keys;
  const auto add = [&](const Spec& schema) {
    EXPECT_TRUE(keys.insert(Key(*Make(schema))).second) << schema.format;
  };
  add({.format = "i"});
  add({.format = "i", .name = "a"});
  add({.format = "ia"});
  add({.format = "i", .flags = 0});
  add({.format = "i", .metadata = testing::RawMetadata("a", "b")});
  add({.format = "i", .metadata = testing::RawMetadata("", "ab")});
  add({.format = "i", .dictionary = {{.format = "u"}}});
  add({.format = "i", .dictionary = {{.format = "U"}}});
  add({.format = "i", .children = {{.format = "u"}}});
  add({.format = "i", .children = {{.format = "u"}, {.format = "u"}}});
  add({.format = "i", .children = {{.format = "u", .children = {{.format = "u"}}}}});
}

TEST(SchemaTest, StopsAtSchemasThatAreMalformed) {
  std::string key;
  const auto reason = [&](const Spec& value,
                          const std::function<void(ArrowSchema*)>& poke) {
    OwnedSchema schema = Make(value);
    poke(schema.get());
    const Status fingerprint = AppendFingerprint(*schema, &key);
    EXPECT_EQ(CopySchema(*schema).status().reason(), fingerprint.reason());
    return fingerprint.reason();
  };
  const Spec list{.format = "+l", .children = {{.format = "i"}}};
  EXPECT_EQ(reason(list, [](ArrowSchema* s) { s->format = nullptr; }),
            ALLOY_REASON_FORMAT_NULL);
  EXPECT_EQ(reason(list, [](ArrowSchema* s) { s->children = nullptr; }),
            ALLOY_REASON_CHILDREN_NULL);
  EXPECT_EQ(reason(list, [](ArrowSchema* s) { s->children[0] = nullptr; }),
            ALLOY_REASON_CHILD_NULL);
  EXPECT_EQ(reason(list, [](ArrowSchema* s) { OwnedSchema(s).Release(); }),
            ALLOY_REASON_SCHEMA_RELEASED);
  EXPECT_EQ(reason(list, [](ArrowSchema* s) { s->children[0] = s; }),
            ALLOY_REASON_TOO_DEEP);
  EXPECT_EQ(reason(list, [](ArrowSchema* s) { s->n_children = int64_t{1} << 40; }),
            ALLOY_REASON_TOO_MANY_COLUMNS);
  EXPECT_EQ(reason(list, [](ArrowSchema* s) { s->dictionary = s; }),
            ALLOY_REASON_TOO_DEEP);
  EXPECT_EQ(reason(list, [](ArrowSchema* s) { s->metadata = "\xFF\xFF\xFF\xFF"; }),
            ALLOY_REASON_METADATA);
}

// A struct whose children are all one and the same struct.
struct Aliases {
  explicit Aliases(size_t n) : children(n, &child) {
    child.format = "i";
    child.name = "x";
    child.release = [](ArrowSchema* self) { self->release = nullptr; };
    root.format = "+s";
    root.n_children = static_cast<int64_t>(n);
    root.children = children.data();
    root.release = child.release;
  }
  ArrowSchema root{}, child{};
  std::vector<ArrowSchema*> children;
};

TEST(SchemaTest, OneBudgetLimitsAllThatASchemaRepeats) {
  Aliases schema(1000);
  const auto reasons = [&schema] {
    std::string key;
    return std::vector{AppendFingerprint(schema.root, &key).reason(),
                       CopySchema(schema.root).status().reason(),
                       Layout::Of(schema.root).status().reason()};
  };
  EXPECT_EQ(reasons(), std::vector(3, int32_t{ALLOY_REASON_NONE}));
  const std::string name(size_t{1} << 20, 'n');
  schema.child.name = name.c_str();
  EXPECT_EQ(reasons(), std::vector(3, int32_t{ALLOY_REASON_SCHEMA_SIZE}));
  schema.child.name = nullptr;
  // 4 million empty pairs: 32 MiB that each child refers to.
  std::string metadata((size_t{32} << 20) + 4, '\0');
  const int32_t pairs = 4 << 20;
  std::memcpy(metadata.data(), &pairs, sizeof(pairs));
  schema.child.metadata = metadata.data();
  EXPECT_EQ(reasons(), std::vector(3, int32_t{ALLOY_REASON_SCHEMA_SIZE}));
}

TEST(SchemaTest, SchemasOfOneKeyShareABudget) {
  Aliases schema(40);
  const std::string name(size_t{1} << 20, 'n');
  schema.child.name = name.c_str();
  SchemaBudget budget;
  std::string key;
  EXPECT_TRUE(AppendFingerprint(schema.root, &budget, &key).ok());
  EXPECT_EQ(AppendFingerprint(schema.root, &budget, &key).reason(),
            ALLOY_REASON_SCHEMA_SIZE);
}

TEST(SchemaTest, ReadsNoMetadataThatCannotBelongToTheBlock) {
  // Nothing may be read after the numbers.
  const auto bytes = [](std::vector<int32_t> numbers, int64_t limit) {
    return MetadataBytes(reinterpret_cast<const char*>(numbers.data()), limit);
  };
  constexpr int64_t kMost = kMostMetadata;
  EXPECT_EQ(bytes({-1}, kMost), -1);
  EXPECT_EQ(bytes({std::numeric_limits<int32_t>::max()}, kMost), -1);
  EXPECT_EQ(bytes({8'388'608}, kMost), -1);
  EXPECT_EQ(bytes({8'388'607, 5}, kMost), -1);
  EXPECT_EQ(bytes({1}, 11), -2);
  EXPECT_EQ(bytes({1, 5}, 12), -2);
  EXPECT_EQ(bytes({1, 0, 0}, 12), 12);
  EXPECT_EQ(bytes({0}, 3), -2);
}

}  // namespace
}  // namespace alloy::core
