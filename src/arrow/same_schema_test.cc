// SPDX-License-Identifier: MIT
#include "arrow/same_schema.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "alloy/reason.h"

namespace alloy::core {
namespace {

constexpr int32_t kOneNote = 1;

// {a: Int64, b: List(item: Utf8)}. The tests change one node each.
struct Two {
  Two() {
    const auto release = [](ArrowSchema* schema) { schema->release = nullptr; };
    for (ArrowSchema* node : {&batch, &a, &b, &item}) {
      *node = {};
      node->flags = ARROW_FLAG_NULLABLE;
      node->release = release;
    }
    batch.format = "+s";
    a.format = "l";
    a.name = "a";
    b.format = "+l";
    b.name = "b";
    item.format = "u";
    item.name = "item";
    batch.n_children = 2;
    batch.children = columns;
    b.n_children = 1;
    b.children = items;
  }
  Two(const Two&) = delete;
  Two& operator=(const Two&) = delete;
  ArrowSchema batch, a, b, item;
  ArrowSchema* columns[2] = {&a, &b};
  ArrowSchema* items[1] = {&item};
};

void ExpectDiffers(const Two& found, int32_t column, const std::string& text) {
  const Two bound;
  const Status status = CheckSameSchema(bound.batch, found.batch);
  EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
  EXPECT_EQ(status.reason(), ALLOY_REASON_STREAM_SCHEMA);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.fault().column, column);
  EXPECT_NE(status.fault().text.find(text), std::string::npos) << status.fault().text;
}

TEST(SameSchemaTest, WhatTheBatchItselfIsCalledTellsNothing) {
  const Two bound;
  Two found;
  found.batch.name = "rows";
  found.batch.flags = 0;
  EXPECT_TRUE(CheckSameSchema(bound.batch, found.batch).ok());
}

TEST(SameSchemaTest, ADifferenceIsReportedWithItsPlace) {
  Two found;
  found.a.format = "g";
  ExpectDiffers(found, 0, "expected \"a\": Int64, found \"a\": Float64");
  Two other_item;
  other_item.item.format = "U";
  ExpectDiffers(other_item, 2, "found \"item\": LargeUtf8");
  Two other_name;
  other_name.b.name = nullptr;
  ExpectDiffers(other_name, 1, "found \"\": List(Utf8)");
  Two strict;
  strict.item.flags = 0;
  ExpectDiffers(strict, 2, "found \"item\": Utf8 not null");
}

TEST(SameSchemaTest, MetadataOfAColumnCounts) {
  std::string note(reinterpret_cast<const char*>(&kOneNote), 4);
  note += std::string(8, '\0');
  Two found;
  found.a.metadata = note.c_str();
  ExpectDiffers(found, 0, "with other flags or metadata");
}

TEST(SameSchemaTest, FewerOrMoreColumnsDiffer) {
  Two found;
  found.batch.n_children = 1;
  ExpectDiffers(found, -1, "found Struct(a: Int64)");
  const Two more;
  Two bound;
  bound.batch.n_children = 1;
  EXPECT_EQ(CheckSameSchema(bound.batch, more.batch).reason(),
            ALLOY_REASON_STREAM_SCHEMA);
}

TEST(SameSchemaTest, WhatIsMalformedIsAFaultOfItsOwn) {
  const Two bound;
  Two found;
  found.b.children = nullptr;
  EXPECT_EQ(CheckSameSchema(bound.batch, found.batch).reason(),
            ALLOY_REASON_CHILDREN_NULL);
  found.batch.release = nullptr;
  EXPECT_EQ(CheckSameSchema(bound.batch, found.batch).reason(),
            ALLOY_REASON_SCHEMA_RELEASED);
}

}  // namespace
}  // namespace alloy::core
