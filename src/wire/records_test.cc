// SPDX-License-Identifier: MIT
#include "wire/records.h"

#include <gtest/gtest.h>

#include <string>

#include "alloy/testing/equal.hpp"
#include "alloy/testing/raw.hpp"
#include "alloy/testing/sample.hpp"
#include "wire/records_test_support.h"

namespace alloy::core {
namespace {

using testing::BatchOf;
using testing::Sample;
using testing::Spec;
using wire_testing::Message;
using wire_testing::Receive;
using wire_testing::Segment;
using wire_testing::Send;

constexpr TakeOver kTakeOvers[] = {TakeOver::kView, TakeOver::kCopyFollowed,
                                   TakeOver::kCopyAll};

// One column of every type, and a batch with all of them.
std::vector<Spec> EveryBatch() {
  std::vector<Spec> batches;
  for (const Spec& column : testing::EveryType()) batches.push_back(BatchOf({column}));
  batches.push_back(BatchOf(testing::EveryType()));
  batches.push_back(BatchOf({}));
  return batches;
}

void ExpectSame(const Spec& spec, const ArrowArray& expected, const Layout& layout,
                const Message& message, TakeOver take_over) {
  const OwnedSchema schema = testing::Make(spec);
  auto batch = Receive(layout, message.record, message.segments, take_over);
  ASSERT_TRUE(batch.ok()) << batch.status().fault().text;
  EXPECT_EQ((*batch)->length, expected.length);
  EXPECT_EQ(testing::FirstDifference(*schema, expected, 0, **batch, 0, expected.length),
            -1);
}

TEST(RecordsTest, EveryTypeIsTheSameAfterwards) {
  for (const Spec& spec : EveryBatch()) {
    const auto layout = Layout::OfBatch(*testing::Make(spec));
    ASSERT_TRUE(layout.ok());
    for (const int64_t rows : {0, 1, 7, 100, 1500}) {
      for (const int64_t before : {0, 3, 8, 1029}) {
        for (const double nulls : {0.0, 0.25, 1.0}) {
          const Sample sample(
              spec, {.rows = rows, .before = before, .null_share = nulls, .garbage = 5});
          const auto message = Send(*layout, sample.array());
          ASSERT_TRUE(message.ok()) << message.status().fault().text;
          for (const TakeOver take_over : kTakeOvers) {
            SCOPED_TRACE(testing::TextOf(spec) + ", rows " + std::to_string(rows) +
                         ", before " + std::to_string(before) + ", nulls " +
                         std::to_string(nulls) + ", take over " +
                         std::to_string(static_cast<int>(take_over)));
            ExpectSame(spec, sample.array(), *layout, *message, take_over);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace alloy::core
