// SPDX-License-Identifier: MIT
#include "wire/schemas.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alloy/testing/raw.hpp"
#include "arrow/schema.h"

namespace alloy::core {
namespace {

using testing::Spec;

std::vector<std::byte> Sent(const ArrowSchema& schema) {
  std::vector<std::byte> bytes(1 << 20);
  ByteWriter out(bytes);
  EXPECT_TRUE(WriteSchema(schema, out).ok());
  EXPECT_FALSE(out.full());
  bytes.resize(out.used());
  bytes.shrink_to_fit();
  return bytes;
}

std::string KeyOf(const ArrowSchema& schema) {
  std::string key;
  EXPECT_TRUE(AppendFingerprint(schema, &key).ok());
  return key;
}

TEST(SchemasTest, EveryTypeIsTheSameAfterwards) {
  std::vector<Spec> specs = testing::EveryType();
  specs.push_back(testing::BatchOf(testing::EveryType()));
  specs.push_back({.format = "l", .metadata = testing::RawMetadata("key", "value")});
  for (const Spec& spec : specs) {
    const OwnedSchema schema = testing::Make(spec);
    const std::vector<std::byte> bytes = Sent(*schema);
    ByteReader in(bytes);
    const auto read = ReadSchema(in);
    ASSERT_TRUE(read.ok()) << read.status().fault().text;
    EXPECT_TRUE(in.AtEnd());
    EXPECT_EQ(KeyOf(**read), KeyOf(*schema)) << testing::TextOf(spec);
  }
}

// Reads what the other side has made up. A schema that is accepted can be walked and copied.
bool Take(std::span<const std::byte> bytes) {
  ByteReader in(bytes);
  const auto schema = ReadSchema(in);
  if (schema.ok()) return !KeyOf(**schema).empty();
  EXPECT_EQ(schema.status().code(), ALLOY_BAD_DATA);
  EXPECT_NE(schema.status().reason(), ALLOY_REASON_NONE);
  return false;
}

Spec Batch() {
  std::vector<Spec> columns = testing::EveryType();
  columns.push_back({.format = "l", .metadata = testing::RawMetadata("key", "value")});
  return testing::BatchOf(std::move(columns));
}

TEST(SchemasTest, NoMessageMayBeCut) {
  const std::vector<std::byte> bytes = Sent(*testing::Make(Batch()));
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> cut(bytes.begin(),
                                     bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(Take(cut)) << size;
  }
}

TEST(SchemasTest, NoByteOfAMessageMayLie) {
  std::vector<std::byte> bytes = Sent(*testing::Make(Batch()));
  int refused = 0;
  for (std::byte& byte : bytes) {
    const std::byte before = byte;
    for (const int lie : {0, 1, 0x7F, 0x80, 0xFF, static_cast<int>(before) + 1}) {
      byte = static_cast<std::byte>(lie);
      refused += Take(bytes) ? 0 : 1;
    }
    byte = before;
  }
  EXPECT_GT(refused, 1000);
}

// Each level costs a few bytes; the walk must not follow them as deep as they go.
TEST(SchemasTest, NestingEndsAtTheLimit) {
  Spec spec{.format = "i"};
  for (int level = 0; level < 64; ++level) spec = {.format = "+l", .children = {spec}};
  const std::vector<std::byte> bytes = Sent(*testing::Make(spec));
  EXPECT_TRUE(Take(bytes));
  // One level more: the head of a list, again and again.
  const size_t level = (bytes.size() - Sent(*testing::Make({.format = "i"})).size()) / 64;
  std::vector<std::byte> deep;
  for (int i = 0; i < 100'000; ++i) {
    deep.insert(deep.end(), bytes.begin(),
                bytes.begin() + static_cast<std::ptrdiff_t>(level));
  }
  ByteReader in(deep);
  const auto schema = ReadSchema(in);
  ASSERT_FALSE(schema.ok());
  EXPECT_EQ(schema.status().reason(), ALLOY_REASON_TOO_DEEP);
}

TEST(SchemasTest, AMalformedSchemaIsNotWritten) {
  OwnedSchema schema = testing::Make(Spec{.format = "l"});
  schema->format = nullptr;
  std::vector<std::byte> bytes(1000);
  ByteWriter out(bytes);
  EXPECT_EQ(WriteSchema(*schema, out).reason(), ALLOY_REASON_FORMAT_NULL);
}

TEST(SchemasTest, AWriterWithoutRoomIsFull) {
  std::vector<std::byte> bytes(100);
  ByteWriter out(bytes);
  EXPECT_TRUE(WriteSchema(*testing::Make(Batch()), out).ok());
  EXPECT_TRUE(out.full());
}

}  // namespace
}  // namespace alloy::core
