// SPDX-License-Identifier: MIT
//
// The same suite over every echo and identity backend, in every language.
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/faults/tree.h"
#include "tests/support/support.h"

namespace {

using faults::Tree;

struct Subject {
  const char* name;
  const char* library;   // empty: the built-in echo
  const char* language;  // of its table
  const char* function;  // returns its batch
  bool is_echo;          // named alloy.echo: counts chunks too, and writes its lines
  bool every_type;       // arrow2 has fewer
};

void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.name; }

constexpr Subject kSubjects[] = {
    {"built_in", "", "C++", "echo", true, true},
    {"echo_cpp", "echo_cpp", "C++", "echo", true, true},
    {"echo_c", "echo_c", "C", "echo", true, true},
    {"identity_cpp", "tests/identity", "C++", "identity", false, true},
#ifdef ALLOY_TEST_RUST
    {"echo_rust", "echo_rust", "Rust", "echo", true, true},
    {"echo_arrow2_rust", "echo_arrow2_rust", "Rust", "echo", true, false},
    {"echo_arrow2_014_rust", "echo_arrow2_014_rust", "Rust", "echo", true, false},
    {"identity_rust", "identity_rust", "Rust", "identity", false, true},
    {"identity_arrow59_rust", "identity_arrow59_rust", "Rust", "identity", false, true},
#endif
};

class ConformanceTest : public testing::TestWithParam<Subject> {
 protected:
  const char* function() const { return GetParam().function; }

  static alloy::Batch CommonBatch() {
    return *alloy::MakeBatch(
        {{"int", alloy::MakeArray<int32_t>({1, std::nullopt, -3})},
         {"float", alloy::MakeArray<double>({0.5, 1.5, std::nullopt})},
         {"bool", alloy::MakeArray<bool>({true, false, std::nullopt})},
         {"text", alloy::MakeArray<std::string>({"one", std::nullopt, "three"})}});
  }
  static std::string TextOf(const alloy::Batch& batch) {
    std::ostringstream text;
    text << batch;
    return text.str();
  }

  std::shared_ptr<support::LogLines> lines_ = std::make_shared<support::LogLines>();
  alloy::Bridge bridge_ = support::Load(GetParam().library, support::TestHost(lines_));
};

TEST_P(ConformanceTest, SaysWhoItIs) {
  const auto backend = bridge_.Backend();
  ASSERT_TRUE(backend.ok()) << backend.status();
  EXPECT_EQ(backend->language, GetParam().language);
  EXPECT_EQ(backend->name == "alloy.echo", GetParam().is_echo) << backend->name;
  const auto functions = bridge_.Functions();
  ASSERT_TRUE(functions.ok()) << functions.status();
  bool found = false;
  for (const auto& function : *functions) found |= function.name == GetParam().function;
  EXPECT_TRUE(found);
}

TEST_P(ConformanceTest, GivesItsBatchBack) {
  const auto batch = CommonBatch();
  for (int i = 0; i < 3; ++i) {
    const auto result = bridge_.Call(function(), batch);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(TextOf(*result), TextOf(batch));
    for (int64_t c = 0; c < batch.columns() && support::SharesMemory(); ++c) {
      const ArrowArray& in = batch.column(c).array();
      const ArrowArray& out = result->column(c).array();
      EXPECT_EQ(out.buffers[1], in.buffers[1]) << "column " << c << " was copied";
    }
  }
}

TEST_P(ConformanceTest, GivesAnEmptyBatchBack) {
  const auto batch = *alloy::MakeBatch(
      {{"x", alloy::MakeArray<int32_t>({})}, {"s", alloy::MakeArray<std::string>({})}});
  const auto result = bridge_.Call(function(), batch);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->rows(), 0);
  EXPECT_EQ(TextOf(*result), "{x: Int32[], s: Utf8[]}");
}

TEST_P(ConformanceTest, GivesEveryTypeBack) {
  Tree tree;
  {
    const auto batch = support::ImportTree(tree);
    ASSERT_TRUE(batch.ok()) << batch.status();
    const auto result = bridge_.Call(function(), *batch);
    if (GetParam().every_type) {
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_TRUE(alloy::detail::SameType(result->schema(), batch->schema()));
      EXPECT_EQ(TextOf(*result), TextOf(*batch));
    } else {  // arrow2 refuses views, run-end arrays and list views
      EXPECT_FALSE(result.ok());
    }
    EXPECT_EQ(tree.releases(), 0);
  }
  EXPECT_EQ(tree.releases(), 1);
  EXPECT_EQ(tree.schema_releases(), 1);
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
}

TEST_P(ConformanceTest, ItsResultsAreReleasedOnAnotherThread) {
  auto result = bridge_.Call(function(), CommonBatch());
  ASSERT_TRUE(result.ok()) << result.status();
  const std::string text = TextOf(CommonBatch());
  std::thread([&text, result = std::move(*result)]() mutable {
    EXPECT_EQ(TextOf(result), text);
    const alloy::Batch last = std::move(result);
  }).join();
}

TEST_P(ConformanceTest, ItsResultsOutliveTheBridge) {
  alloy::Result<alloy::Batch> result = alloy::Status();
  {
    const alloy::Bridge bridge(std::move(bridge_));
    alloy::Bridge used = support::Load(GetParam().library);
    result = used.Call(function(), CommonBatch());
  }
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(TextOf(*result), TextOf(CommonBatch()));
}

TEST_P(ConformanceTest, ItsColumnsMayOutliveItsBatch) {
  // The Arrow specification allows this: children are moved out, then the parent is released.
  alloy_error error;
  const auto batch = CommonBatch();
  const auto call = support::Bind(bridge_, function(), batch.schema(), &error);
  ASSERT_NE(call, nullptr) << error.text;
  auto input = alloy::detail::ShareArray(batch.array(), batch.keeper(), false);
  ArrowArray output;
  ASSERT_EQ(alloy_call_run(call.get(), input.get(), &output, 0, 0, &error), ALLOY_OK)
      << error.text;
  std::vector<alloy::OwnedArray> columns;
  for (int64_t c = 0; c < output.n_children; ++c)
    columns.emplace_back(output.children[c]);
  output.release(&output);
  EXPECT_EQ(output.release, nullptr);
  const alloy::Column<int32_t> ints(*columns[0]);
  EXPECT_EQ(ints[2], -3);
  std::thread([columns = std::move(columns)] {}).join();
}

TEST_P(ConformanceTest, AnUnknownFunctionIsNotFound) {
  const auto status = bridge_.Call("no_such_function", CommonBatch()).status();
  EXPECT_EQ(status.code(), ALLOY_NOT_FOUND);
  EXPECT_NE(status.text().find(function()), std::string_view::npos) << status;
}

TEST_P(ConformanceTest, AnUnknownOptionIsInvalid) {
  const auto status =
      bridge_.Call(function(), CommonBatch(), {{"colour", "red"}}).status();
  EXPECT_EQ(status.code(), ALLOY_INVALID);
  EXPECT_NE(status.text().find("colour"), std::string_view::npos) << status;
}

TEST_P(ConformanceTest, AWrongNumberOfInputsIsInvalid) {
  const std::vector<alloy::Batch> none;
  EXPECT_EQ(bridge_.Call(function(), none).status().code(), ALLOY_INVALID);
}

TEST_P(ConformanceTest, CountsChunksOfAnyTypeAndLength) {
  if (!GetParam().is_echo) {
    const std::vector<alloy::Array> none;
    EXPECT_EQ(bridge_.FromChunks(none).status().code(), ALLOY_NOT_FOUND);
    return;
  }
  std::vector<alloy::Array> arrays;
  for (int64_t n = 0; n < 4; ++n) {
    const auto count = bridge_.FromChunks(arrays);
    ASSERT_TRUE(count.ok()) << count.status();
    EXPECT_EQ(*count, n);
    if (n == 0) arrays.push_back(alloy::MakeArray<int32_t>({1, 2, 3, -4}));
    if (n == 1) arrays.push_back(alloy::MakeArray<std::string>({"a", std::nullopt}));
    if (n == 2) arrays.push_back(alloy::MakeArray<bool>({}));
  }
}

TEST_P(ConformanceTest, WritesTheLinesOfTheEcho) {
  lines_->Take();
  if (!GetParam().is_echo) {
    EXPECT_TRUE(bridge_.Call(function(), CommonBatch()).ok());
    EXPECT_EQ(lines_->Take(), std::vector<std::string>{});
    return;
  }
  std::vector<alloy::Array> arrays;
  arrays.push_back(alloy::MakeArray<int32_t>({1, 2, 3, -4}));
  arrays.push_back(alloy::MakeArray<std::string>({"x", std::nullopt}));
  ASSERT_TRUE(bridge_.FromChunks(arrays).ok());
  const std::string label = "[" + std::string(GetParam().language) + "] ";
  const std::string language = GetParam().language;
  EXPECT_EQ(lines_->Take(),
            (std::vector<std::string>{
                "[C++] Exporting ArrowSchema and ArrowArray #1 to C",
                "[C++] Exporting ArrowSchema and ArrowArray #2 to C",
                "[C++] Calling " + language + " through C ffi now with 2 ArrowArrays",
                label + "Hello! Reading the ffi pointers now.",
                label + "array1: Int32[1, 2, 3, -4]",
                label + "array2: Utf8[\"x\", null]",
                "[C++] Hello, again! Successfully sent Arrow data to " + language + ".",
            }));
}

TEST_P(ConformanceTest, IsSilentWhenTheHostSaysSo) {
  alloy::Bridge bridge = support::Load(GetParam().library,
                                       support::TestHost(lines_, alloy::LogMode::kNever));
  lines_->Take();
  EXPECT_TRUE(bridge.Call(function(), CommonBatch()).ok());
  EXPECT_EQ(lines_->Take(), std::vector<std::string>{});
}

#ifdef ALLOY_TEST_RUST
// One column of half floats: 1, -2, the smallest above 0, the largest, null.
struct HalfFloats : alloy::testing::Tree {
  static constexpr uint16_t kValues[] = {0x3C00, 0xC000, 0x0001, 0x7BFF, 0};
  static constexpr uint8_t kValidity[] = {0x0F};

  HalfFloats()
      : Tree(alloy::testing::BatchOf({{.format = "e", .name = "f16"}}),
             alloy::testing::RawRows(
                 5, {{.length = 5, .buffers = {kValidity, kValues}, .null_count = 1}})) {}
};

std::string TextOfSummary(const alloy::Batch& batch) {
  alloy::Bridge bridge = support::Load("summary_rust");
  const auto summary = bridge.Call("summary_of_batch", batch);
  EXPECT_TRUE(summary.ok()) << summary.status();
  std::ostringstream text;
  if (summary.ok()) text << *summary;
  return text.str();
}

TEST(SummaryTest, DescribesEachColumn) {
  const auto batch = alloy::MakeBatch(
      {{"i8", alloy::MakeArray<int8_t>({-128, 127, std::nullopt, 5})},
       {"u64", alloy::MakeArray<uint64_t>({1, ~uint64_t{0}, ~uint64_t{0}, 2})},
       {"i64", alloy::MakeArray<int64_t>({1, -7, 1'000'000'007, std::nullopt})},
       {"f32", alloy::MakeArray<float>({0.5F, std::nullopt, -2.5F, 8.0F})},
       {"f64", alloy::MakeArray<double>({0.1, 0.2, 0.3, std::nullopt})},
       {"none", alloy::MakeArray<double>({{}, {}, {}, {}})},
       {"bool", alloy::MakeArray<bool>({true, false, std::nullopt, true})},
       {"text", alloy::MakeArray<std::string>({"a[", "[", std::nullopt, "\"]"})}});
  EXPECT_EQ(TextOfSummary(*batch),
            "{name: Utf8[\"i8\", \"u64\", \"i64\", \"f32\", \"f64\", \"none\", "
            "\"bool\", \"text\"], type: Utf8[\"Int8\", \"UInt64\", \"Int64\", "
            "\"Float32\", \"Float64\", \"Float64\", \"Boolean\", \"Utf8\"], "
            "rows: Int64[4, 4, 4, 4, 4, 4, 4, 4], nulls: Int64[1, 0, 1, 1, 1, 4, 1, 1], "
            "min: Float64[-128.0, 1.0, -7.0, -2.5, 0.1, null, null, null], "
            "max: Float64[127.0, 1.8446744073709552e19, 1000000007.0, 8.0, 0.3, null, "
            "null, null], "
            "mean: Float64[1.3333333333333333, 9.223372036854776e18, "
            "333333333.6666667, 2.0, 0.20000000000000004, null, null, null], "
            "sum: Float64[4.0, 3.6893488147419103e19, 1000000001.0, 6.0, "
            "0.6000000000000001, null, null, null]}");
}

TEST(SummaryTest, ReadsHalfFloats) {
  alloy::Bridge bridge = support::Load("summary_rust");
  HalfFloats half_floats;
  const auto summary = bridge.Call("summary_of_batch", *support::ImportTree(half_floats));
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ((*summary->column(4).values<double>())[0], -2.0);
  EXPECT_EQ((*summary->column(5).values<double>())[0], 65504.0);
  EXPECT_EQ((*summary->column(7).values<double>())[0], 65503.0 + 0x1p-24);
}

// The engine names a type for a backend in the same way as alloy.hpp for a host.
TEST(SummaryTest, NamesEveryType) {
  Tree tree;
  const auto batch = support::ImportTree(tree);
  ASSERT_TRUE(batch.ok()) << batch.status();
  alloy::Bridge bridge = support::Load("summary_rust");
  const auto summary = bridge.Call("summary_of_batch", *batch);
  ASSERT_TRUE(summary.ok()) << summary.status();
  ASSERT_EQ(summary->rows(), batch->columns());
  for (int64_t c = 0; c < batch->columns(); ++c) {
    EXPECT_EQ(*(*summary->column(0).values<std::string_view>())[c],
              batch->schema().children[c]->name);
    std::ostringstream text;
    text << batch->column(c);
    const std::string all = text.str();
    // Int32[1, 2], but Struct(a: List[..])[3 rows].
    const size_t end = all.ends_with(" rows]") ? all.rfind('[') : all.find('[');
    EXPECT_EQ(*(*summary->column(1).values<std::string_view>())[c], all.substr(0, end));
  }
}
#endif

std::string NameOf(const testing::TestParamInfo<Subject>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Backends, ConformanceTest, testing::ValuesIn(kSubjects), NameOf);

}  // namespace
