// SPDX-License-Identifier: MIT
//
// Stream functions in Rust behind the engine: what is read when, what errors become, and
// where the memory of the results is.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "alloy/alloy.h"
#include "alloy/alloy.hpp"
#include "tests/support/support.h"

namespace {

using Options = std::vector<const char*>;

// A stream of the host: batches, then the end or a failure.
struct Source {
  std::vector<alloy::Batch> batches;
  int number = 0;  // the errno of the failure; 0: the end
  std::string text;
  size_t reads = 0;
  int releases = 0;

  static Source& Of(ArrowArrayStream* stream) {
    return *static_cast<Source*>(stream->private_data);
  }
  ArrowArrayStream Make() {
    return {
        .get_schema =
            [](ArrowArrayStream* stream, ArrowSchema* out) {
              alloy::Schema::Copy(Of(stream).batches[0].schema()).MoveTo(out);
              return 0;
            },
        .get_next =
            [](ArrowArrayStream* stream, ArrowArray* out) {
              Source& self = Of(stream);
              const size_t at = self.reads++;
              out->release = nullptr;
              if (at >= self.batches.size()) return self.number;
              const alloy::Batch& batch = self.batches[at];
              alloy::detail::ShareArray(batch.array(), batch.keeper(), false).MoveTo(out);
              return 0;
            },
        .get_last_error = [](ArrowArrayStream* stream) -> const char* {
          return Of(stream).text.c_str();
        },
        .release =
            [](ArrowArrayStream* stream) {
              ++Of(stream).releases;
              stream->release = nullptr;
            },
        .private_data = this};
  }
};

// What a call gives.
class Output {
 public:
  Output(const alloy::Bridge& bridge, const char* function,
         const std::vector<Source*>& sources, Options options = {}) {
    std::vector<ArrowSchema> schemas;
    std::vector<ArrowArrayStream> inputs;
    for (Source* source : sources) {
      schemas.push_back(source->batches[0].schema());
      inputs.push_back(source->Make());
    }
    options.push_back(nullptr);
    const auto count = static_cast<int32_t>(sources.size());
    alloy_call* call = nullptr;
    EXPECT_EQ(alloy_call_bind(bridge.get(), function, schemas.data(), count,
                              options.data(), &call, &error_),
              ALLOY_OK)
        << error_.text;
    call_.reset(call);
    code_ = alloy_call_stream(call, inputs.data(), count, &stream_, 0, 1, &error_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { Release(); }

  void Release() {
    if (stream_.release != nullptr) stream_.release(&stream_);
  }

  // The next batch as text; "end"; or the text of the failure, of which error() is all.
  std::string Next() {
    const int number = Pull();
    if (number != 0) {
      EXPECT_NE(alloy_stream_error(&stream_, &error_), ALLOY_OK);
      EXPECT_STREQ(stream_.get_last_error(&stream_), error_.text);
      return error_.text;
    }
    if (at_end_) return "end";
    std::ostringstream text;
    text << batches_.back();
    return text.str();
  }

  // An errno. A batch is kept in batches().
  int Pull() {
    ArrowArray array{};
    const int number = stream_.get_next(&stream_, &array);
    if (number != 0) return number;
    at_end_ = array.release == nullptr;
    if (at_end_) return 0;
    ArrowSchema schema;
    alloy::Schema::Copy(*alloy_call_schema(call_.get())).MoveTo(&schema);
    auto batch = alloy::Batch::Import(&schema, &array);
    EXPECT_TRUE(batch.ok()) << batch.status();
    batches_.push_back(std::move(*batch));
    return 0;
  }

  alloy_code code() const { return code_; }
  const alloy_error& error() const { return error_; }
  alloy_call* call() const { return call_.get(); }
  const std::vector<alloy::Batch>& batches() const { return batches_; }

 private:
  support::CallHandle call_;
  ArrowArrayStream stream_{};
  alloy_error error_{};
  alloy_code code_ = ALLOY_OK;
  std::vector<alloy::Batch> batches_;
  bool at_end_ = false;
};

alloy::Batch Numbers(const char* name,
                     const std::vector<std::optional<int64_t>>& values) {
  return *alloy::MakeBatch({{name, alloy::MakeArray<int64_t>(values)}});
}

// Sales of one piece each.
alloy::Batch Sales(const std::vector<std::optional<double>>& prices) {
  return *alloy::MakeBatch(
      {{"count", alloy::MakeArray(std::vector<int64_t>(prices.size(), 1))},
       {"unread", alloy::MakeArray<bool>(std::vector<bool>(prices.size()))},
       {"price", alloy::MakeArray<double>(prices)}});
}

Source TwoOf(const char* name) {
  Source source;
  source.batches.push_back(Numbers(name, {1, 2}));
  source.batches.push_back(Numbers(name, {3}));
  return source;
}

TEST(RustStreamsTest, NothingIsReadBeforeItIsAskedFor) {
  const auto bridge = support::Load("total_rust");
  Source source;
  source.batches.push_back(Sales({1, std::nullopt, 2}));
  source.batches.push_back(Sales({4}));
  Output output(bridge, "running_total", {&source});
  ASSERT_EQ(output.code(), ALLOY_OK) << output.error().text;
  EXPECT_EQ(source.reads, 0u);
  EXPECT_EQ(output.Next(), "{total: Float64[1.0, null, 3.0]}");
  EXPECT_EQ(source.reads, 1u);
  EXPECT_EQ(output.Next(), "{total: Float64[7.0]}");
  EXPECT_EQ(output.Next(), "end");
  EXPECT_EQ(output.Next(), "end");
  EXPECT_EQ(source.reads, 3u);
  // Inputs of a worker are released with its stream.
  EXPECT_EQ(source.releases, support::IsIsolated() ? 0 : 1);
}

TEST(RustStreamsTest, AnInputsOwnErrorComesBackAsItWas) {
  const auto bridge = support::Load("total_rust");
  Source source;
  source.batches.push_back(Sales({1}));
  source.number = ENETRESET;
  source.text = "the peer went away: 42";
  Output output(bridge, "running_total", {&source});
  EXPECT_EQ(output.Next(), "{total: Float64[1.0]}");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(output.Pull(), ENETRESET);
    EXPECT_EQ(output.Next(), source.text);
    EXPECT_EQ(output.error().side, ALLOY_SIDE_CALLER);
    EXPECT_EQ(output.error().input, 0);
  }
  EXPECT_EQ(source.reads, 2u);
}

TEST(RustStreamsTest, AFunctionThatHidesTheErrorOfItsInputHidesNothing) {
  const auto bridge = support::Load("faults_rust");
  Source source = TwoOf("value");
  source.number = EPIPE;
  source.text = "broken";
  Output output(bridge, "hide_error", {&source});
  EXPECT_EQ(output.Next(), "{value: Int64[1, 2]}");
  EXPECT_EQ(output.Next(), "{value: Int64[3]}");
  EXPECT_EQ(output.Next(), "broken");
  EXPECT_EQ(output.Pull(), EPIPE);
  EXPECT_EQ(output.error().side, ALLOY_SIDE_CALLER);
}

TEST(RustStreamsTest, PanicsBecomeErrorsWithTextFileAndLine) {
  const auto bridge = support::Load("faults_rust");
  Source source = TwoOf("value");
  Output output(bridge, "panic_in_next", {&source});
  EXPECT_EQ(output.Next(), "{value: Int64[1, 2]}");
  const std::string text = output.Next();
  EXPECT_NE(text.find("streams.rs:"), std::string::npos) << text;
  EXPECT_NE(text.find("the batch went wrong: 1"), std::string::npos) << text;
  EXPECT_EQ(output.error().code, ALLOY_FAILED);
  EXPECT_EQ(output.error().side, ALLOY_SIDE_BACKEND);
  EXPECT_EQ(output.Next(), text);
  output.Release();
  EXPECT_EQ(source.releases, 1);

  Source other = TwoOf("value");
  Output opened(bridge, "panic_in_open", {&other});
  EXPECT_EQ(opened.code(), ALLOY_FAILED);
  EXPECT_NE(std::string_view(opened.error().text).find("the open went wrong"),
            std::string_view::npos);
  EXPECT_EQ(other.releases, 1);
}

TEST(RustStreamsTest, ACancelReachesTheFunctionInTheMiddleOfABatch) {
  const auto bridge = support::Load("faults_rust");
  Source source = TwoOf("value");
  Output output(bridge, "never_ending", {&source});
  std::thread canceller([call = output.call()] {
    int64_t done = 0, total = 0;
    while (done < 10) {
      alloy_call_progress(call, &done, &total);
      std::this_thread::yield();
    }
    alloy_call_cancel(call, 1);
  });
  output.Next();
  canceller.join();
  EXPECT_EQ(output.error().code, ALLOY_CANCELLED);
}

TEST(RustStreamsTest, AReleaseInTheMiddleReleasesTheInputs) {
  const auto bridge = support::Load("aggregate_rust");
  Source left = TwoOf("id"), right = TwoOf("id");
  Output output(bridge, "join", {&left, &right}, {"on", "id"});
  EXPECT_EQ(output.Next(), "{id: Int64[1, 2]}");
  EXPECT_EQ((std::pair{left.reads, right.reads}), (std::pair<size_t, size_t>{1, 3}));
  output.Release();
  EXPECT_EQ((std::pair{left.releases, right.releases}), (std::pair{1, 1}));
}

TEST(RustStreamsTest, GroupsJoinsAndSortsAnswerThroughTheEngine) {
  const auto bridge = support::Load("aggregate_rust");
  Source source;
  for (int i = 0; i < 2; ++i) {
    source.batches.push_back(*alloy::MakeBatch(
        {{"key", alloy::MakeArray<std::string>({"b", "a", std::nullopt})},
         {"x", alloy::MakeArray<int64_t>({1, std::nullopt, 3 + i})}}));
  }
  Output groups(bridge, "group_by", {&source},
                {"keys", "key", "aggregates", "count,sum(x) as total,mean(x)"});
  EXPECT_EQ(groups.Next(),
            "{key: Utf8[\"b\", \"a\", null], count: Int64[2, 2, 2], total: "
            "Int64[2, null, 7], mean(x): Float64[1.0, null, 3.5]}");
  EXPECT_EQ(groups.Next(), "end");

  source.reads = 0;
  Output sorted(bridge, "sort", {&source},
                {"by", "x,key", "descending", "true", "nulls_first", "true"});
  EXPECT_EQ(sorted.Next(),
            "{key: Utf8[\"a\", \"a\", null, null, \"b\", \"b\"], x: Int64[null, null, "
            "4, 3, 1, 1]}");

  source.reads = 0;
  Source names;
  names.batches.push_back(
      *alloy::MakeBatch({{"key", alloy::MakeArray<std::string>({"a"})},
                         {"name", alloy::MakeArray<std::string>({"ann"})}}));
  Output joined(bridge, "join", {&source, &names}, {"on", "key", "how", "left"});
  EXPECT_EQ(joined.Next(),
            "{key: Utf8[\"b\", \"a\", null], x: Int64[1, null, 3], name: Utf8[null, "
            "\"ann\", null]}");
}

TEST(RustStreamsTest, MapFunctionsTakeAStreamBatchByBatch) {
  const auto bridge = support::Load("aggregate_rust");
  Source source = TwoOf("x");
  Output filtered(bridge, "filter", {&source}, {"column", "x", "op", ">=", "value", "2"});
  EXPECT_EQ(filtered.Next(), "{x: Int64[2]}");
  EXPECT_EQ(source.reads, 1u);
  EXPECT_EQ(filtered.Next(), "{x: Int64[3]}");
  EXPECT_EQ(filtered.Next(), "end");

  source.reads = 0;
  Output scaled(bridge, "scale", {&source}, {"column", "x", "factor", "-2"});
  EXPECT_EQ(scaled.Next(), "{x: Int64[-2, -4]}");
  source.batches[1] = Numbers("x", {INT64_MAX});
  EXPECT_EQ(scaled.Next(), "column x, row 0 of the batch: the product overflows Int64");
  EXPECT_EQ(scaled.error().side, ALLOY_SIDE_BACKEND);
}

// Where the values of the only column are.
const void* ValuesOf(const alloy::Batch& batch) {
  const ArrowArray& column = *batch.array().children[0];
  return static_cast<const int64_t*>(column.buffers[1]) + column.offset;
}

TEST(RustStreamsTest, WhatAFunctionGivesBackIsNotCopied) {
  if (!support::SharesMemory()) GTEST_SKIP() << "a worker gets a copy";
  const auto bridge = support::Load("identity_rust");
  Source source = TwoOf("x");
  Output output(bridge, "identity_stream", {&source});
  ASSERT_EQ(output.Pull(), 0);
  ASSERT_EQ(output.Pull(), 0);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(ValuesOf(output.batches()[i]), ValuesOf(source.batches[i]));
  }
}

TEST(RustStreamsTest, TheMemoryOfAResultIsReadWhereTheFunctionLeftIt) {
  const auto bridge = support::Load("aggregate_rust");
  Source source;
  std::vector<std::optional<int64_t>> keys(100'000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  source.batches.push_back(Numbers("k", keys));
  Output groups(bridge, "group_by", {&source}, {"keys", "k", "aggregates", ""});
  ASSERT_EQ(groups.Pull(), 0);
  ASSERT_EQ(groups.Pull(), 0);
  groups.Release();
  // Two batches of one column in memory: had either been copied, they would lie apart.
  const auto& [first, second] = std::tie(groups.batches()[0], groups.batches()[1]);
  EXPECT_EQ(static_cast<const int64_t*>(ValuesOf(first)) + first.rows(),
            ValuesOf(second));
  EXPECT_EQ(*static_cast<const int64_t*>(ValuesOf(second)), first.rows());
}

// A column of two rows over constants, for types that alloy.hpp does not make.
struct Column : alloy::testing::Tree {
  Column(const char* format, const void* values)
      : Tree({.format = format}, {.length = 2, .buffers = {nullptr, values}}) {}

  alloy::Array Import() {
    ArrowSchema schema;
    ArrowArray array;
    MoveSchema(&schema);
    MoveArray(&array);
    return *alloy::Array::Import(&schema, &array);
  }
};

TEST(RustStreamsTest, DeclaredColumnsAreFoundInAnyOrderAndCompany) {
  // Decimals of two places as their low and high halves; the second row is of 1970.
  alignas(16) static constexpr int64_t kQuantity[] = {1000, 0, 1000, 0};
  alignas(16) static constexpr int64_t kPrice[] = {100'000, 0, 100'000, 0};
  alignas(16) static constexpr int64_t kDiscount[] = {5, 0, 5, 0};
  static constexpr int32_t kDays[] = {8'900, 0};
  Column day("tdD", kDays), discount("d:15,2", kDiscount);
  Column quantity("d:15,2", kQuantity), price("d:15,2", kPrice);
  const auto bridge = support::Load("tpch_rust");
  Source source;
  source.batches.push_back(
      *alloy::MakeBatch({{"l_comment", alloy::MakeArray<std::string>({"a", "b"})},
                         {"l_shipdate", day.Import()},
                         {"l_discount", discount.Import()},
                         {"l_quantity", quantity.Import()},
                         {"l_extendedprice", price.Import()}}));
  Output output(bridge, "q6", {&source});
  ASSERT_EQ(output.Pull(), 0) << output.Next();
  const alloy::Batch& batch = output.batches().at(0);
  EXPECT_STREQ(batch.schema().children[0]->format, "d:38,4");
  EXPECT_EQ(*static_cast<const int64_t*>(ValuesOf(batch)), 500'000);
  EXPECT_EQ(output.Next(), "end");
}

}  // namespace
