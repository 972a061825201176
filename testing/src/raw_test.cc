// SPDX-License-Identifier: MIT
#include "alloy/testing/raw.hpp"

#include <gtest/gtest.h>

namespace alloy::testing {
namespace {

TEST(RawTest, ReleasesEachNodeOfABrokenStruct) {
  ReleaseCount released = 0;
  RawArray index = RawFixed(2);
  index.dictionary = {RawFixed(1)};
  {
    OwnedArray array = Make(RawRows(2, {RawFixed(2), index}), &released);
    array->n_children = 1 << 20;
    array->children = nullptr;
  }
  EXPECT_EQ(released, 4);
}

TEST(RawTest, WritesTheFieldsOfTheValue) {
  const OwnedSchema schema = Make(BatchOf({{.format = "l", .name = "x"}}));
  EXPECT_EQ(SpecOf(*schema), BatchOf({{.format = "l", .name = "x"}}));
  const OwnedArray array = Make(RawArray{
      .length = 2, .buffers = {nullptr, Zeros()}, .offset = 3, .null_count = -1});
  EXPECT_EQ(array->length, 2);
  EXPECT_EQ(array->offset, 3);
  EXPECT_EQ(array->null_count, -1);
  EXPECT_EQ(array->n_buffers, 2);
  EXPECT_EQ(array->buffers[1], Zeros());
  EXPECT_EQ(array->children, nullptr);
}

}  // namespace
}  // namespace alloy::testing
