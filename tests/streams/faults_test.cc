// SPDX-License-Identifier: MIT
//
// Each fault of an Arrow struct as a batch of an input stream and of a stream of results:
// an error with its reason and place, which repeats, and everything released once.
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/faults/cases.h"
#include "tests/support/support.h"

namespace {

using faults::Case;
using faults::Tree;

// A host's stream of three trees, the second of them spoilt.
struct TreeStream {
  explicit TreeStream(const Case& fault) : second(fault) {}

  ArrowArrayStream Make() {
    return {.get_schema =
                [](ArrowArrayStream*, ArrowSchema* out) {
                  alloy::Schema::Copy(Tree().schema(Tree::kRoot)).MoveTo(out);
                  return 0;
                },
            .get_next =
                [](ArrowArrayStream* stream, ArrowArray* out) {
                  auto& self = *static_cast<TreeStream*>(stream->private_data);
                  if (self.given == 3) {
                    *out = ArrowArray{};
                    return 0;
                  }
                  Tree& tree = self.trees[self.given];
                  if (self.given++ == 1) self.second.spoil(tree);
                  tree.MoveArray(out);
                  return 0;
                },
            .get_last_error = nullptr,
            .release =
                [](ArrowArrayStream* stream) {
                  ++static_cast<TreeStream*>(stream->private_data)->releases;
                  stream->release = nullptr;
                },
            .private_data = this};
  }

  const Case& second;
  Tree trees[3];
  int given = 0;
  int releases = 0;
};

void ExpectFault(const Case& fault, const alloy_error& error, int32_t input,
                 int32_t side) {
  EXPECT_EQ(error.code, ALLOY_BAD_DATA) << error.text;
  EXPECT_STREQ(alloy_reason_name(error.reason), alloy_reason_name(fault.reason))
      << error.text;
  if (fault.column != faults::kAnyColumn) {
    EXPECT_EQ(error.column, fault.column);
  }
  EXPECT_EQ(error.input, input);
  EXPECT_EQ(error.side, side);
}

class StreamFault : public testing::TestWithParam<Case> {
 protected:
  // The stream that `function` gives; the second batch is pulled by the test.
  void Open(const alloy::Bridge& bridge, const char* function, const ArrowSchema* schema,
            ArrowArrayStream* input, const std::vector<const char*>& options) {
    alloy_call* call = nullptr;
    ASSERT_EQ(alloy_call_bind(bridge.get(), function, schema, schema == nullptr ? 0 : 1,
                              options.data(), &call, &error_),
              ALLOY_OK)
        << error_.text;
    call_.reset(call);
    ArrowArrayStream output;
    ASSERT_EQ(
        alloy_call_stream(call, input, input == nullptr ? 0 : 1, &output, 0, 0, &error_),
        ALLOY_OK)
        << error_.text;
    stream_ = alloy::OwnedArrayStream(&output);
    ArrowArray first;
    ASSERT_EQ(stream_->get_next(stream_.get(), &first), 0);
    ASSERT_NE(first.release, nullptr);
    first.release(&first);
  }

  void ExpectSecond(int32_t input, int32_t side) {
    const Case& fault = GetParam();
    ArrowArray batch;
    if (fault.reason == ALLOY_REASON_NONE) {
      ASSERT_EQ(stream_->get_next(stream_.get(), &batch), 0);
      ASSERT_NE(batch.release, nullptr);
      batch.release(&batch);
      return;
    }
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(stream_->get_next(stream_.get(), &batch), EINVAL);
      EXPECT_EQ(batch.release, nullptr);
      EXPECT_EQ(alloy_stream_error(stream_.get(), &error_), ALLOY_BAD_DATA);
      ExpectFault(fault, error_, input, side);
      EXPECT_STREQ(stream_->get_last_error(stream_.get()), error_.text);
    }
  }

  alloy_error error_{};
  support::CallHandle call_;
  alloy::OwnedArrayStream stream_;
};

alloy::Level LevelOf(const Case& fault) { return static_cast<alloy::Level>(fault.level); }

TEST_P(StreamFault, IsFoundInABatchOfAnInput) {
  TreeStream input(GetParam());
  const alloy::Bridge bridge = support::Load("tests/streams", support::TestHost(),
                                             {.check_inputs = LevelOf(GetParam())});
  const alloy::Schema schema = alloy::Schema::Copy(Tree().schema(Tree::kRoot));
  ArrowArrayStream raw = input.Make();
  ASSERT_NO_FATAL_FAILURE(Open(bridge, "pass", schema.get(), &raw, {nullptr}));
  ExpectSecond(/*input=*/0, ALLOY_SIDE_CALLER);
  stream_ = {};
  EXPECT_EQ(input.releases, 1);
  EXPECT_EQ(input.given, 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(input.trees[i].releases(), 1);
    EXPECT_TRUE(input.trees[i].ReleasedAtMostOnce());
  }
}

TEST_P(StreamFault, IsFoundInABatchThatAMapFunctionIsRunOn) {
  TreeStream input(GetParam());
  const alloy::Bridge bridge = support::Load("tests/identity", support::TestHost(),
                                             {.check_inputs = LevelOf(GetParam())});
  const alloy::Schema schema = alloy::Schema::Copy(Tree().schema(Tree::kRoot));
  ArrowArrayStream raw = input.Make();
  ASSERT_NO_FATAL_FAILURE(Open(bridge, "identity", schema.get(), &raw, {nullptr}));
  ExpectSecond(/*input=*/0, ALLOY_SIDE_CALLER);
  stream_ = {};
  EXPECT_EQ(input.releases, 1);
  EXPECT_EQ(input.trees[1].releases(), 1);
  EXPECT_TRUE(input.trees[1].ReleasedAtMostOnce());
}

TEST_P(StreamFault, IsFoundInABatchOfTheResults) {
  alloy::Bridge bridge = support::Load("tests/lie", support::TestHost(),
                                       {.check_results = LevelOf(GetParam())});
  const auto batch = support::SmallBatch();
  const auto before = bridge.Call("ledger", batch);
  ASSERT_NO_FATAL_FAILURE(Open(bridge, "lie_in_stream", nullptr, nullptr,
                               {"fault", GetParam().name, nullptr}));
  ExpectSecond(/*input=*/-1, ALLOY_SIDE_BACKEND);
  stream_ = {};
  const auto after = bridge.Call("ledger", batch);
  const auto made =
      support::Only<int64_t>(after, "trees") - support::Only<int64_t>(before, "trees");
  EXPECT_EQ(made, 2);
  EXPECT_EQ(support::Only<int64_t>(after, "arrays_released") -
                support::Only<int64_t>(before, "arrays_released"),
            2);
  EXPECT_FALSE(support::Only<bool>(after, "twice"));
}

// A batch that is released is no fault in a stream: it is the end.
std::vector<Case> StreamCases() {
  std::vector<Case> cases;
  for (const Case& fault : faults::ArrayCases()) {
    if (fault.name != std::string_view("array_released")) cases.push_back(fault);
  }
  return cases;
}

TEST(StreamEndTest, ABatchThatIsReleasedIsTheEndOfItsStream) {
  const Case* released = faults::FindCase("array_released");
  ASSERT_NE(released, nullptr);
  TreeStream input(*released);
  const alloy::Bridge bridge = support::Load("tests/streams");
  alloy_error error;
  auto call = support::Bind(bridge, "pass", Tree().schema(Tree::kRoot), &error);
  ASSERT_NE(call, nullptr) << error.text;
  ArrowArrayStream raw = input.Make(), output;
  ASSERT_EQ(alloy_call_stream(call.get(), &raw, 1, &output, 0, 0, &error), ALLOY_OK);
  alloy::OwnedArrayStream stream(&output);
  ArrowArray batch;
  ASSERT_EQ(stream->get_next(stream.get(), &batch), 0);
  batch.release(&batch);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(stream->get_next(stream.get(), &batch), 0);
    EXPECT_EQ(batch.release, nullptr);
  }
  EXPECT_EQ(input.given, 2);
}

std::string NameOf(const testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Faults, StreamFault, testing::ValuesIn(StreamCases()), NameOf);

}  // namespace
