// SPDX-License-Identifier: MIT
#include "alloy/testing/conformance.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alloy::testing {
namespace {

std::string PathOf(const std::string& name) {
  return std::string(ALLOY_TEST_BUILD "/backends/") + name + ".so";
}

// As for the programs of tests/support/support.h: our own backends pass in worker processes too.
bool IsIsolated() {
  const char* const text =
      std::getenv("ALLOY_TEST_ISOLATED");  // NOLINT(concurrency-mt-unsafe)
  return text != nullptr && std::string_view(text) == "1";
}

std::vector<Outcome> OutcomesOf(ConformanceOptions options) {
  std::vector<Outcome> outcomes;
  const Status status = RunConformance(options, [&outcomes](const Outcome& outcome) {
    if (outcome.verdict != Verdict::kBegun) outcomes.push_back(outcome);
  });
  EXPECT_TRUE(status.ok()) << status;
  return outcomes;
}

std::set<std::string> Failed(const std::vector<Outcome>& outcomes) {
  std::set<std::string> tests;
  for (const Outcome& outcome : outcomes) {
    if (outcome.verdict == Verdict::kFailed) tests.insert(outcome.test);
  }
  return tests;
}

// Our own backends pass all of it.
class OwnBackendTest : public ::testing::TestWithParam<const char*> {};

TEST_P(OwnBackendTest, KeepsEveryPromise) {
  ConformanceOptions options{
      .library = PathOf(GetParam()), .isolated = IsIsolated(), .rows = 20};
  size_t passed = 0;
  for (const Outcome& outcome : OutcomesOf(std::move(options))) {
    EXPECT_EQ(outcome.verdict, Verdict::kPassed)
        << outcome.function << " " << outcome.test << ": " << outcome.text;
    ++passed;
  }
  EXPECT_GE(passed, 9u);
}

INSTANTIATE_TEST_SUITE_P(All, OwnBackendTest,
                         ::testing::Values("echo_cpp", "echo_c", "score_cpp",
                                           "totals_cpp", "trips_cpp", "tpch_cpp",
                                           "tests/identity"
#ifdef ALLOY_TEST_RUST
                                           ,
                                           "echo_rust", "summary_rust", "distance_rust",
                                           "identity_rust", "identity_arrow59_rust",
                                           "total_rust", "trips_rust", "tpch_rust",
                                           "echo_arrow2_rust", "echo_arrow2_014_rust"
#endif
                                           ),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           for (char& c : name) c = c == '/' ? '_' : c;
                           return name;
                         });

#ifdef ALLOY_TEST_RUST
// Its options name columns, so it needs schemas that have them.
class AggregatesTest : public ::testing::Test {
 protected:
  static void ExpectPasses(ConformanceOptions options, size_t at_least) {
    options.values = {{"group_by.keys", "k"}, {"group_by.aggregates", "sum(x),count"},
                      {"join.on", "k"},       {"sort.by", "k"},
                      {"filter.column", "x"}, {"filter.value", "10"},
                      {"scale.column", "x"},  {"scale.factor", "3"}};
    options.rows = 20;
    options.isolated = IsIsolated();
    const auto outcomes = OutcomesOf(std::move(options));
    for (const Outcome& outcome : outcomes) {
      EXPECT_EQ(outcome.verdict, Verdict::kPassed)
          << outcome.function << " " << outcome.test << ": " << outcome.text;
    }
    EXPECT_GT(outcomes.size(), at_least);
  }
};

TEST_F(AggregatesTest, KeepEveryPromiseOnColumnsThatTheirOptionsName) {
  ExpectPasses({.library = PathOf("aggregate_rust"),
                .schemas = {BatchOf(
                    {{.format = "u", .name = "k"}, {.format = "l", .name = "x"}})}},
               60);
}

TEST_F(AggregatesTest, KeepEveryPromiseOnDictionariesViewsAndDecimals) {
  ExpectPasses(
      {.library = PathOf("aggregate_rust"),
       .functions = {"group_by", "sort", "filter", "scale"},
       .schemas =
           {BatchOf({{.format = "vu", .name = "k"},
                     {.format = "d:38,2", .name = "x"},
                     {.format = "U", .name = "text"},
                     {.format = "b", .name = "flag"},
                     {.format = "tdD", .name = "day"}}),
            BatchOf({{.format = "i", .name = "k", .dictionary = {{.format = "u"}}},
                     {.format = "g", .name = "x"},
                     {.format = "c", .name = "e", .dictionary = {{.format = "+s"}}}})}},
      50);
}
#endif

// Each function of careless.cc breaks one promise, and is found out by the test of it.
struct Breach {
  const char* function;
  const char* test;
  const char* text;
};

class CarelessTest : public ::testing::TestWithParam<Breach> {};

TEST_P(CarelessTest, IsFoundOut) {
  const auto outcomes = OutcomesOf({.library = PathOf("tests/careless"),
                                    .functions = {GetParam().function},
                                    .rows = 20});
  bool found = false;
  for (const Outcome& outcome : outcomes) {
    if (outcome.test != GetParam().test) continue;
    found = true;
    EXPECT_EQ(outcome.verdict, Verdict::kFailed);
    EXPECT_NE(outcome.text.find(GetParam().text), std::string::npos) << outcome.text;
    EXPECT_NE(outcome.text.find("on +s<"), std::string::npos) << outcome.text;
  }
  EXPECT_TRUE(found);
}

INSTANTIATE_TEST_SUITE_P(
    All, CarelessTest,
    ::testing::Values(
        Breach{"counts_runs", "carries nothing from one run to the next",
               "differ in row 0"},
        Breach{"ignores_offsets", "does not depend on where the rows are in memory",
               "offset of 1"},
        Breach{"writes_to_its_input", "takes rows with nulls among them", "written to"},
        Breach{"keeps_pointers", "takes rows with nulls among them", "given back"},
        Breach{"loses_its_input", "takes rows with nulls among them", "never released"},
        Breach{"releases_twice", "takes rows with nulls among them", "more than once"},
        Breach{"sums_up", "gives each row from that row alone", "depends on other rows"},
        Breach{"always_throws", "succeeds on a sample", "the model is not trained"},
        Breach{"reads_under_nulls", "does not depend on what lies under nulls",
               "look at validity"},
        Breach{"leaks", "frees the memory of each run", "bytes of memory"},
        Breach{"release_leaves_no_mark", "takes rows with nulls among them",
               "does not set `release` to NULL"},
        Breach{"fails_silently", "succeeds on a sample", "--sample"},
        Breach{"changes_its_mind",
               "returns the same output schema when it is bound again", "it promised"},
        Breach{"result_in_state", "gives results that outlive call and bridge",
               "differ in row"},
        Breach{"column_dies_with_batch", "gives columns that outlive their batch",
               "changed when the batch was released"}),
    [](const auto& parameter) { return parameter.param.function; });

// The engine refuses such a result; where it does not, the kit does.
TEST(ConformanceTest, FindsNullsInAColumnDeclaredWithout) {
  const auto outcomes = OutcomesOf({.library = PathOf("tests/careless"),
                                    .functions = {"nulls_where_none"},
                                    .rows = 20});
  EXPECT_FALSE(Failed(outcomes).empty());
}

TEST(ConformanceTest, PassesAStreamFunctionThatEndsEarly) {
  const auto outcomes = OutcomesOf(
      {.library = PathOf("tests/careless"), .functions = {"ends_early"}, .rows = 20});
  EXPECT_EQ(Failed(outcomes), std::set<std::string>());
  EXPECT_GE(outcomes.size(), 9u);
}

TEST(ConformanceTest, GoesNoFurtherWithAFunctionThatNeverSucceeds) {
  const auto outcomes = OutcomesOf(
      {.library = PathOf("tests/careless"), .functions = {"always_throws"}, .rows = 20});
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].verdict, Verdict::kPassed) << "it binds";
  EXPECT_EQ(outcomes[1].verdict, Verdict::kFailed);
  EXPECT_NE(outcomes[1].text.find("with 20 rows with nulls"), std::string::npos)
      << outcomes[1].text;
  EXPECT_NE(outcomes[1].text.find("--sample FILE.csv"), std::string::npos);
}

TEST(ConformanceTest, ATableOfSamplesReachesAFunctionThatNeedsIt) {
  ConformanceOptions options{
      .library = PathOf("tests/careless"), .functions = {"two_numbers"}, .rows = 20};
  EXPECT_EQ(Failed(OutcomesOf(options)), (std::set<std::string>{"succeeds on a sample"}));
  options.table = *SampleTable::ParseCsv("x\n3\n\n99\n3\n");
  const auto outcomes = OutcomesOf(options);
  EXPECT_EQ(Failed(outcomes), std::set<std::string>());
  EXPECT_GE(outcomes.size(), 16u);
  options.table = *SampleTable::ParseCsv("x\n1\nmany\n");
  options.schemas = {BatchOf({{.format = "l", .name = "x"}})};
  bool is_named = false;
  for (const Outcome& outcome : OutcomesOf(options)) {
    is_named =
        is_named || outcome.text.find("`many` in row 2 of column x") != std::string::npos;
  }
  EXPECT_TRUE(is_named);
}

using ConformanceDeathTest = ::testing::Test;

// Its memory is taken away, so that a late reader is seen.
TEST(ConformanceDeathTest, AnInputThatIsReadLaterEndsTheProcess) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(OutcomesOf({.library = PathOf("tests/careless"),
                           .functions = {"keeps_its_inputs_address"},
                           .rows = 20}),
               "");
}

TEST(ConformanceTest, PassesACarefulFunction) {
  const auto outcomes = OutcomesOf(
      {.library = PathOf("tests/careless"), .functions = {"careful"}, .rows = 20});
  EXPECT_EQ(Failed(outcomes), std::set<std::string>());
  EXPECT_GE(outcomes.size(), 14u);
}

TEST(ConformanceTest, SkipsAFunctionThatNothingFits) {
  const auto outcomes =
      OutcomesOf({.library = PathOf("tests/careless"),
                  .functions = {"careful"},
                  .schemas = {BatchOf({{.format = "u", .name = "x"}})}});
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].verdict, Verdict::kSkipped);
  EXPECT_NE(outcomes[0].text.find("wants one column of int64"), std::string::npos);
}

TEST(ConformanceTest, SaysThatAFunctionIsNotThere) {
  const Status status =
      RunConformance({.library = PathOf("tests/careless"), .functions = {"nothing"}},
                     [](const Outcome&) {});
  EXPECT_NE(status.text().find("`nothing`"), std::string_view::npos);
}

TEST(ConformanceTest, SaysWhyALibraryDoesNotLoad) {
  const Status status = RunConformance({.library = "absent.so"}, [](const Outcome&) {});
  EXPECT_EQ(status.reason(), ALLOY_REASON_CANNOT_OPEN);
}

}  // namespace
}  // namespace alloy::testing
