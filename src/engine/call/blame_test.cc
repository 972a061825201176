// SPDX-License-Identifier: MIT
#include "engine/call/blame.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/test_backend.h"

namespace alloy::core {
namespace {

// One text column, whose second offset points outside the text if `broken`.
struct Text {
  explicit Text(bool broken) : offsets{0, broken ? 90 : 1, 2, 3} {}
  int32_t offsets[4];
  static constexpr char kBytes[64] = "abc";

  ArrowArray Make() {
    auto block = Block<int>::Make(2, 4, 0);
    ArrowArray batch{};
    block.Init(&batch, {.length = 3, .n_buffers = 1, .n_children = 1});
    block.Init(batch.children[0], {.length = 3, .n_buffers = 3});
    batch.children[0]->buffers[1] = offsets;
    batch.children[0]->buffers[2] = kBytes;
    block.Finish();
    return batch;
  }
};

class BlameTest : public EngineTest {
 protected:
  BlameTest() {
    lambdas_.bind = [](alloy_scope*, const ArrowSchema*, int32_t, const char* const*,
                       ArrowSchema* output) {
      TextSchema().MoveTo(output);
      return ALLOY_OK;
    };
  }

  static OwnedSchema TextSchema() {
    OwnedSchema schema = Int64Schema({"t"});
    schema->children[0]->format = "u";
    return schema;
  }

  Status Run(ArrowArray input,
             std::function<void(ArrowArray* input, ArrowArray* output)> body) {
    lambdas_.run = [&](alloy_scope*, ArrowArray* inputs, int32_t, ArrowArray* output) {
      body(&inputs[0], output);
      return ALLOY_OK;
    };
    served_.reset();
    Serve();
    const OwnedSchema schema = TextSchema();
    const char* none[] = {nullptr};
    auto selected =
        SelectFunction(*served_, lambdas_.function.name, schema.get(), 1, none);
    EXPECT_TRUE(selected.ok());
    Call call(bridge_, BoundFunction{served_, *std::move(selected)});
    ArrowArray output;
    const Status status = call.Run(&input, &output, 0, 0);
    if (output.release != nullptr) output.release(&output);
    return status;
  }

  static void ExpectSide(const Status& status, uint16_t side, const char* text) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.reason(), ALLOY_REASON_OFFSETS);
    EXPECT_EQ(status.fault().side, side) << status.fault().text;
    EXPECT_EQ(status.fault().input, side == ALLOY_SIDE_CALLER ? 0 : -1);
    EXPECT_NE(status.fault().text.find(text), std::string::npos) << status.fault().text;
  }

  Text good_{false}, broken_{true};
};

TEST_F(BlameTest, AnInputThatIsReturnedUnchangedIsTheCallers) {
  ExpectSide(
      Run(broken_.Make(), [](ArrowArray* input,
                             ArrowArray* output) { OwnedArray(input).MoveTo(output); }),
      ALLOY_SIDE_CALLER, "f of test.lambdas returned as it got it");
}

TEST_F(BlameTest, AColumnThatIsReturnedUnchangedIsTheCallers) {
  ExpectSide(Run(broken_.Make(),
                 [](ArrowArray* input, ArrowArray* output) {
                   auto block = Block<int>::Make(2, 1, 0);
                   block.Init(output, {.length = 3, .n_buffers = 1, .n_children = 1});
                   block.Adopt(output->children[0], input->children[0]);
                   block.Finish();
                 }),
             ALLOY_SIDE_CALLER, "input 0");
}

TEST_F(BlameTest, AFaultOfAnInputThatIsStillThereIsTheCallers) {
  ExpectSide(Run(broken_.Make(),
                 [this](ArrowArray*, ArrowArray* output) { *output = broken_.Make(); }),
             ALLOY_SIDE_CALLER, "so has input 0");
}

TEST_F(BlameTest, AFaultOfTheBackendIsItsOwn) {
  const Status status = Run(good_.Make(), [this](ArrowArray*, ArrowArray* output) {
    *output = broken_.Make();
  });
  ExpectSide(status, ALLOY_SIDE_BACKEND, "the result of f of test.lambdas");
  EXPECT_EQ(status.fault().text.find("may be"), std::string::npos) << "it is known";
}

TEST_F(BlameTest, WhatNobodyCanKnowIsSaid) {
  ExpectSide(Run(broken_.Make(),
                 [this](ArrowArray* input, ArrowArray* output) {
                   *output = broken_.Make();
                   OwnedArray(input).Release();
                 }),
             ALLOY_SIDE_BACKEND, "set check_inputs to 2 to know");
}

TEST_F(BlameTest, ABackendThatBreaksACheckedInputIsNotExcused) {
  alloy_bridge_options options{};
  options.struct_size = sizeof(options);
  options.check_inputs = 2;
  bridge_ = *Bridge::Make(host_, options);
  ExpectSide(Run(good_.Make(),
                 [this](ArrowArray* input, ArrowArray* output) {
                   good_.offsets[1] = 90;
                   OwnedArray(input).MoveTo(output);
                 }),
             ALLOY_SIDE_BACKEND, "the result of");
}

}  // namespace
}  // namespace alloy::core
