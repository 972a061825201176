// SPDX-License-Identifier: MIT
#include "alloy/testing/sample.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>

#include "alloy/alloy.hpp"
#include "alloy/testing/equal.hpp"

namespace alloy::testing {
namespace {

class SampleTest : public ::testing::TestWithParam<Spec> {
 protected:
  static Spec Batch() { return BatchOf({GetParam()}); }
  static bool Equal(const Sample& a, int64_t first_a, const Sample& b, int64_t first_b,
                    int64_t rows) {
    const auto schema = SchemaOf(Batch());
    return FirstDifference(*schema, a.array(), first_a, b.array(), first_b, rows) < 0;
  }
};

// Through the built-in echo, whose gate looks at what goes in and at what comes out.
TEST_P(SampleTest, PassesTheGate) {
  Bridge bridge(Host({.log_mode = LogMode::kNever}));
  for (const int64_t before : {0, 1, 13}) {
    for (const double nulls : {0.0, 0.3, 1.0}) {
      for (const int64_t rows : {0, 1, 50}) {
        const Sample sample(Batch(),
                            {.rows = rows, .before = before, .null_share = nulls});
        {
          auto schema = SchemaOf(Batch());
          ArrowSchema given;
          schema.MoveTo(&given);
          ArrowArray array;
          sample.MoveArray(&array);
          const auto batch = alloy::Batch::Import(&given, &array);
          ASSERT_TRUE(batch.ok()) << batch.status();
          const auto result = bridge.Call("echo", *batch);
          ASSERT_TRUE(result.ok()) << result.status();
          EXPECT_GT(sample.unreleased(), 0);
        }
        EXPECT_TRUE(sample.verdict().ok()) << sample.verdict();
      }
    }
  }
}

TEST_P(SampleTest, HoldsTheSameRowsWhereverTheyLie) {
  const Sample plain(Batch(), {.rows = 40});
  const Sample behind(Batch(), {.rows = 40, .before = 11});
  EXPECT_TRUE(Equal(plain, 0, behind, 0, 40));
  const Sample part(Batch(), {.rows = 15, .first_row = 25, .before = 3});
  EXPECT_TRUE(Equal(plain, 25, part, 0, 15));
}

TEST_P(SampleTest, HoldsOtherRowsForAnotherSeed) {
  const std::string& format = GetParam().format;
  if (format == "n" || (format == "+s" && GetParam().children.empty())) return;
  const Sample one(Batch(), {.rows = 40, .seed = 1});
  const Sample two(Batch(), {.rows = 40, .seed = 2});
  EXPECT_FALSE(Equal(one, 0, two, 0, 40));
}

INSTANTIATE_TEST_SUITE_P(EveryType, SampleTest, ::testing::ValuesIn(EveryType()),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(SampleVerdictTest, TellsWhatWasNeverReleased) {
  const Sample sample(BatchOf({{.format = "l", .name = "x"}}), {});
  ArrowArray array;
  sample.MoveArray(&array);
  EXPECT_NE(sample.verdict().text().find("never released"), std::string_view::npos);
  array.release(&array);
  EXPECT_TRUE(sample.verdict().ok());
}

TEST(SampleVerdictTest, TellsWhatWasReleasedAgain) {
  const Sample sample(BatchOf({{.format = "l", .name = "x"}}), {});
  ArrowArray array;
  sample.MoveArray(&array);
  ArrowArray copy = array;
  array.release(&array);
  copy.release(&copy);
  EXPECT_NE(sample.verdict().text().find("more than once"), std::string_view::npos);
}

TEST(SampleVerdictTest, TellsWhatWasWrittenTo) {
  const Sample sample(BatchOf({{.format = "l", .name = "x"}}), {});
  ArrowArray array;
  sample.MoveArray(&array);
  void* values = const_cast<void*>(array.children[0]->buffers[1]);
  EXPECT_FALSE(sample.IsGone(values));
  std::memset(values, 1, 8);
  array.release(&array);
  EXPECT_TRUE(sample.IsGone(values));
  EXPECT_NE(sample.verdict().text().find("written to"), std::string_view::npos);
}

TEST(SpecTest, ComesBackFromASchema) {
  for (const Spec& type : EveryType())
    EXPECT_EQ(SpecOf(*SchemaOf(type)), type) << type.name;
}

TEST(SpecTest, IsReadFromALine) {
  const auto spec = ParseColumns("x:l, !y:d:10,2, t:tsu:+01:00, s:?u");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(TextOf(*spec), "+s<x: l, y: d:10,2, t: tsu:+01:00, s: i?u>");
  EXPECT_FALSE(spec->children[1].nullable());
  for (const char* wrong : {"x", "x:", "x:+l", "x:?"}) {
    const auto refused = ParseColumns(wrong);
    EXPECT_FALSE(refused.ok()) << wrong;
  }
}

}  // namespace
}  // namespace alloy::testing
