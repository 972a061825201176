// SPDX-License-Identifier: MIT
//
// A backend in Rust that returns structs which the crate would never make: each is an error
// with its reason, everything is released once, and the next call works.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "alloy/alloy.hpp"
#include "tests/faults/tree.h"
#include "tests/support/support.h"

namespace {

struct Lie {
  const char* function;
  int32_t reason;
};

std::string NameOf(const testing::TestParamInfo<Lie>& info) {
  return info.param.function;
}

class RustLiesTest : public testing::TestWithParam<Lie> {};

TEST_P(RustLiesTest, IsNoticedAndNothingIsReleasedTwice) {
  alloy::Bridge bridge = support::Load("faults_rust");
  faults::Tree tree;
  {
    const auto batch = support::ImportTree(tree);
    ASSERT_TRUE(batch.ok()) << batch.status();
    const alloy::Status status = bridge.Call(GetParam().function, *batch).status();
    EXPECT_EQ(status.code(), ALLOY_BAD_DATA) << status;
    EXPECT_STREQ(alloy_reason_name(status.reason()), alloy_reason_name(GetParam().reason))
        << status;
    EXPECT_EQ(status.side(), ALLOY_SIDE_BACKEND);
  }
  EXPECT_EQ(tree.releases(), 1);
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
  const auto next = bridge.Call("empty", support::SmallBatch());
  EXPECT_TRUE(next.ok()) << next.status();
}

INSTANTIATE_TEST_SUITE_P(
    Lies, RustLiesTest,
    testing::Values(Lie{"released_output", ALLOY_REASON_ARRAY_RELEASED},
                    Lie{"released_column", ALLOY_REASON_ARRAY_RELEASED},
                    Lie{"double_release", ALLOY_REASON_COPIED},
                    Lie{"too_few_children", ALLOY_REASON_CHILD_COUNT},
                    Lie{"too_many_children", ALLOY_REASON_CHILD_COUNT},
                    Lie{"null_children", ALLOY_REASON_CHILDREN_NULL},
                    Lie{"null_child", ALLOY_REASON_CHILD_NULL},
                    Lie{"too_few_buffers", ALLOY_REASON_BUFFER_COUNT},
                    Lie{"too_many_buffers", ALLOY_REASON_BUFFER_COUNT},
                    Lie{"null_buffers", ALLOY_REASON_BUFFERS_NULL},
                    Lie{"null_values", ALLOY_REASON_BUFFER_NULL},
                    Lie{"negative_length", ALLOY_REASON_LENGTH},
                    Lie{"negative_offset", ALLOY_REASON_OFFSET},
                    Lie{"huge_length", ALLOY_REASON_OVERFLOW},
                    Lie{"short_column", ALLOY_REASON_CHILD_LENGTH},
                    Lie{"null_count_too_high", ALLOY_REASON_NULL_COUNT},
                    Lie{"nulls_without_bitmap", ALLOY_REASON_NULLS_WITHOUT_BITMAP},
                    Lie{"batch_nulls", ALLOY_REASON_BATCH_NULLS},
                    Lie{"format_null", ALLOY_REASON_FORMAT_NULL},
                    Lie{"no_struct", ALLOY_REASON_CHILD_COUNT}),
    NameOf);

}  // namespace
