// SPDX-License-Identifier: MIT
#include "wire/schemas.h"

#include <gtest/gtest.h>

#include <string>
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

}  // namespace
}  // namespace alloy::core
