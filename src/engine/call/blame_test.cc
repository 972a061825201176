// SPDX-License-Identifier: MIT
#include "engine/call/blame.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/stream/test_stream.h"

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

// The same for the batches of a stream.
class BlameStreamTest : public StreamTest {
 protected:
  // One column that must not be null.
  static OwnedSchema Required(const Names& names) {
    OwnedSchema schema = Int64Schema(names);
    schema->children[0]->flags = 0;
    return schema;
  }
  static ArrowArray WithNull(bool is_null) {
    static constexpr uint8_t kValidity[64] = {0};
    ArrowArray batch = Int64Batch({{1}}, nullptr);
    if (is_null) {
      batch.children[0]->null_count = 1;
      batch.children[0]->buffers[0] = kValidity;
    }
    return batch;
  }

  // The fault after one batch of the input, of which the function makes what `next` does.
  Fault FaultOfStream(bool broken, std::function<int(TestStream&, ArrowArray*)> next) {
    lambdas_.bind = [](alloy_scope*, const ArrowSchema*, int32_t, const char* const*,
                       ArrowSchema* output) {
      Required({"x"}).MoveTo(output);
      return ALLOY_OK;
    };
    Answer(std::move(next));
    Serve();
    TestStream input;
    input.columns = {"x"};
    input.schema = Required;
    input.next = [broken](TestStream&, ArrowArray* out) {
      *out = WithNull(broken);
      return 0;
    };
    const OwnedSchema schema = Required({"x"});
    const char* none[] = {nullptr};
    auto selected =
        SelectFunction(*served_, lambdas_.function.name, schema.get(), 1, none);
    EXPECT_TRUE(selected.ok());
    const auto call =
        std::make_shared<Call>(bridge_, BoundFunction{served_, *std::move(selected)});
    EXPECT_TRUE(Open(call, {&input}).ok());
    EXPECT_EQ(Next(), EINVAL);
    EXPECT_EQ(TheFault().reason, ALLOY_REASON_NOT_NULLABLE);
    return TheFault();
  }
};

TEST_F(BlameStreamTest, ABatchThatIsReturnedUnchangedIsTheCallers) {
  const Fault fault = FaultOfStream(
      true, [this](TestStream&, ArrowArray* out) { return PullKept(0, out); });
  EXPECT_EQ(fault.side, ALLOY_SIDE_CALLER) << fault.text;
  EXPECT_EQ(fault.input, 0) << fault.text;
}

TEST_F(BlameStreamTest, ABatchThatTheFunctionMadeIsItsOwn) {
  OwnedArray read;
  const Fault fault = FaultOfStream(false, [&](TestStream&, ArrowArray* out) {
    ArrowArray batch;
    EXPECT_EQ(PullKept(0, &batch), 0);
    read = OwnedArray(&batch);
    *out = WithNull(true);
    return 0;
  });
  EXPECT_EQ(fault.side, ALLOY_SIDE_BACKEND) << fault.text;
}

// The memory of the batch that was read may be used again at once, or not.
TEST_F(BlameStreamTest, AnAddressThatIsUsedAgainIsNoProof) {
  const Fault fault = FaultOfStream(false, [&](TestStream&, ArrowArray* out) {
    ArrowArray batch;
    EXPECT_EQ(PullKept(0, &batch), 0);
    OwnedArray(&batch).Release();
    *out = WithNull(true);
    return 0;
  });
  EXPECT_TRUE(fault.side == ALLOY_SIDE_BACKEND ||
              fault.text.find("set check_inputs to 2 to know") != std::string::npos)
      << fault.text;
}

}  // namespace
}  // namespace alloy::core
