// SPDX-License-Identifier: MIT
//
// A backend that copies structs of its inputs instead of moving them, or returns structs that
// contain themselves. In a worker it gets the same error as in the process of the host, and
// the worker stays: nothing was released twice in it.
#include <gtest/gtest.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include <string>
#include <utility>
#include <vector>

#include "tests/isolated/isolated.h"

namespace {

using isolated::Input;

struct Case {
  const char* function;
  const char* how;
  int inputs;
  int32_t reason;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.function << "_" << one.how;
}

class Copies {
 protected:
  static alloy::Bridge Load(alloy::Isolation isolation) {
    alloy::BridgeOptions options = isolated::Options({.max_workers = 1});
    options.isolated = isolation;
    return support::Load("tests/copies", support::TestHost(), options);
  }
  static alloy::Status Call(alloy::Bridge& bridge, const Case& one) {
    const alloy::OptionMap how = {{"how", one.how}};
    if (std::string(one.function) == "stream") {
      std::vector<alloy::Stream> inputs;
      inputs.reserve(static_cast<size_t>(one.inputs));
      for (int i = 0; i < one.inputs; ++i) {
        std::vector<alloy::Batch> batches;
        batches.push_back(Input(i));
        inputs.push_back(alloy::Stream::Of(std::move(batches)));
      }
      auto stream = bridge.Stream("stream", std::move(inputs), how);
      if (!stream.ok()) return stream.status();
      const auto batch = stream->Next();
      return batch.status();
    }
    std::vector<alloy::Batch> inputs;
    inputs.reserve(static_cast<size_t>(one.inputs));
    for (int i = 0; i < one.inputs; ++i) inputs.push_back(Input(i));
    return bridge.Call(one.function, std::move(inputs), how).status();
  }
};

class IsolatedCopies : public Copies, public testing::TestWithParam<Case> {};
class IsolatedTexts : public Copies, public testing::Test {};

TEST_P(IsolatedCopies, IsTheSameErrorAsInProcessAndTheWorkerStays) {
  const Case& one = GetParam();
  alloy::Bridge here = Load(alloy::Isolation::kNone);
  const alloy::Status expected = [&] {
#if defined(__SANITIZE_ADDRESS__)
    // What an emptied copy owned besides is lost (gate/copied.h).
    const __lsan::ScopedDisabler lost;
#endif
    return Call(here, one);
  }();
  alloy::Bridge bridge = Load(alloy::Isolation::kWorkers);
  const Case well = {one.function, "well", 1, 0};
  const alloy::Status first = Call(bridge, well);
  EXPECT_TRUE(first.ok()) << first;
  // A second release may only be noticed later.
  for (int i = 0; i < 20; ++i) {
    const alloy::Status status = Call(bridge, one);
    EXPECT_EQ(status.code(), ALLOY_BAD_DATA) << status;
    EXPECT_STREQ(alloy_reason_name(status.reason()), alloy_reason_name(one.reason));
    EXPECT_EQ(status.side(), ALLOY_SIDE_BACKEND) << status;
    EXPECT_EQ(status.text(), expected.text());
    EXPECT_EQ(status.reason(), expected.reason()) << expected;
    const alloy::Status next = Call(bridge, well);
    EXPECT_TRUE(next.ok()) << next;
  }
}

// A text of any length is an answer: an error keeps the beginning of it.
TEST_F(IsolatedTexts, OfATextThatIsLongerThanAMessageTheBeginningCrosses) {
  alloy::Bridge bridge = Load(alloy::Isolation::kWorkers);
  for (const char* function : {"map", "stream"}) {
    const alloy::Status status = Call(bridge, {function, "long_text", 1, 0});
    EXPECT_EQ(status.code(), ALLOY_FAILED) << status;
    EXPECT_TRUE(isolated::Contains(status, std::string(500, 'x'))) << status;
    const alloy::Status next = Call(bridge, {function, "well", 1, 0});
    EXPECT_TRUE(next.ok()) << next;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, IsolatedCopies,
    testing::Values(Case{"map", "root", 1, ALLOY_REASON_COPIED},
                    Case{"map", "child", 1, ALLOY_REASON_COPIED},
                    Case{"map", "fails", 1, ALLOY_REASON_COPIED},
                    Case{"map", "overwrites", 2, ALLOY_REASON_COPIED},
                    Case{"map", "schema", 1, ALLOY_REASON_COPIED},
                    Case{"map", "schema_child", 1, ALLOY_REASON_COPIED},
                    Case{"stream", "root", 1, ALLOY_REASON_COPIED},
                    Case{"stream", "overwrites", 2, ALLOY_REASON_COPIED},
                    Case{"stream", "schema", 1, ALLOY_REASON_COPIED},
                    // What never ends, ends.
                    Case{"map", "schema_loop", 1, ALLOY_REASON_TOO_DEEP},
                    Case{"map", "array_loop", 1, ALLOY_REASON_CHILD_COUNT}),
    [](const auto& tested) {
      return std::string(tested.param.function) + "_" + tested.param.how;
    });

}  // namespace
