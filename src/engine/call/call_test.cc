// SPDX-License-Identifier: MIT
#include "engine/call/call.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/test_backend.h"

namespace alloy::core {
namespace {

using CallTest = EngineTest;

TEST_F(CallTest, ReleasesWhatTheBackendLeftExactlyOnce) {
  Releases in, out;
  lambdas_.run = [&](alloy_scope*, ArrowArray*, int32_t n, ArrowArray* output) {
    *output = Int64Batch({{n, 2}}, &out);
    return ALLOY_OK;
  };
  auto call = Make({{"a"}, {"b"}});
  ArrowArray inputs[] = {Int64Batch({{1, 2}}, &in), Int64Batch({{3}}, &in)};
  ArrowArray output;
  ASSERT_TRUE(call->Run(inputs, &output, 0, 0).ok());
  EXPECT_EQ(in.count, 2);
  EXPECT_EQ(inputs[0].release, nullptr);
  EXPECT_EQ(Int64Values(*output.children[0]), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(out.count, 0);
  output.release(&output);
  EXPECT_EQ(out.count, 1);
}

TEST_F(CallTest, ABackendMayKeepAnInputByMovingItOut) {
  Releases in;
  OwnedArray kept;
  lambdas_.run = [&](alloy_scope*, ArrowArray* inputs, int32_t, ArrowArray* output) {
    kept = OwnedArray(&inputs[0]);
    *output = Int64Batch({{1}}, nullptr);
    return ALLOY_OK;
  };
  auto call = Make({{"a"}});
  ArrowArray input = Int64Batch({{7}}, &in), output;
  ASSERT_TRUE(call->Run(&input, &output, 0, 0).ok());
  output.release(&output);
  EXPECT_EQ(in.count, 0);
  EXPECT_EQ(Int64Values(*kept->children[0]), std::vector<int64_t>{7});
  kept.Release();
  EXPECT_EQ(in.count, 1);
}

TEST_F(CallTest, ASecondUserIsToldBusyAndKeepsItsInputs) {
  std::atomic<bool> inside = false, go_on = false;
  lambdas_.run = [&](alloy_scope*, ArrowArray*, int32_t, ArrowArray* output) {
    inside = true;
    inside.notify_all();
    go_on.wait(false);
    *output = Int64Batch({{1}}, nullptr);
    return ALLOY_OK;
  };
  auto call = Make({{"a"}});
  std::thread first([&] {
    ArrowArray input = Int64Batch({{1}}, nullptr), output;
    EXPECT_TRUE(call->Run(&input, &output, 0, 0).ok());
    output.release(&output);
  });
  inside.wait(false);
  Releases mine;
  ArrowArray input = Int64Batch({{2}}, &mine), output;
  EXPECT_EQ(call->Run(&input, &output, 0, 0).code(), ALLOY_BUSY);
  EXPECT_EQ(output.release, nullptr);
  EXPECT_EQ(mine.count, 0);
  ASSERT_NE(input.release, nullptr);
  go_on = true;
  go_on.notify_all();
  first.join();
  ASSERT_TRUE(call->Run(&input, &output, 0, 0).ok());
  output.release(&output);
  EXPECT_EQ(mine.count, 1);
}

TEST_F(CallTest, ACancelHitsEveryRunUpToItsTicketAndNoOther) {
  auto call = Make({{"a"}});
  const auto run = [&](uint64_t ticket) {
    ArrowArray input = Int64Batch({{1}}, nullptr), output;
    const Status status = call->Run(&input, &output, 0, ticket);
    if (status.ok()) output.release(&output);
    return status.code();
  };
  call->Cancel(5);
  call->Cancel(3);  // an older one takes nothing back
  EXPECT_EQ(run(4), ALLOY_CANCELLED);
  EXPECT_EQ(run(5), ALLOY_CANCELLED);
  EXPECT_EQ(run(6), ALLOY_OK);
  EXPECT_EQ(run(0), ALLOY_OK);
}

TEST_F(CallTest, ACancelReachesTheBackendThatPolls) {
  std::atomic<bool> inside = false;
  lambdas_.run = [&](alloy_scope* scope, ArrowArray*, int32_t, ArrowArray*) {
    inside = true;
    inside.notify_all();
    while (scope->services->cancelled(scope) == 0) std::this_thread::yield();
    return scope->services->fail(scope, ALLOY_FAILED, "gave up", -1);
  };
  auto call = Make({{"a"}});
  std::thread canceller([&] {
    inside.wait(false);
    call->Cancel(9);
  });
  Releases in;
  ArrowArray input = Int64Batch({{1}}, &in), output;
  const Status status = call->Run(&input, &output, 0, 9);
  canceller.join();
  EXPECT_EQ(status.code(), ALLOY_CANCELLED);
  EXPECT_EQ(status.fault().text, "gave up");
  EXPECT_EQ(in.count, 1);
  EXPECT_EQ(output.release, nullptr);
}

TEST_F(CallTest, TheChannelIsInterruptedAfterACancelAndAtADeadline) {
  Serve();
  auto channel = std::make_shared<CountingChannel>(served_->channel);
  served_->channel = channel;
  lambdas_.run = [&](alloy_scope*, ArrowArray*, int32_t, ArrowArray*) {
    // As a worker's channel would: it waits for the interrupt, and polls nothing.
    while (channel->interrupts == 0) std::this_thread::yield();
    return ALLOY_FAILED;
  };
  auto call = Make({});
  ArrowArray output;
  EXPECT_EQ(call->Run(nullptr, &output, 1'000'000, 0).code(), ALLOY_TIMEOUT);
  EXPECT_EQ(channel->interrupts, 1);
  call->Cancel(4);
  EXPECT_EQ(channel->interrupts, 2);
  EXPECT_GE(channel->interrupted.load()->cancelled_upto.load(), 4u);
}

TEST_F(CallTest, ADeadlineMakesCancelledTrueAndAFailureAfterItATimeout) {
  lambdas_.run = [&](alloy_scope* scope, ArrowArray*, int32_t, ArrowArray*) {
    while (scope->services->cancelled(scope) == 0) std::this_thread::yield();
    return ALLOY_FAILED;
  };
  auto call = Make({{"a"}});
  ArrowArray input = Int64Batch({{1}}, nullptr), output;
  EXPECT_EQ(call->Run(&input, &output, 1'000'000, 0).code(), ALLOY_TIMEOUT);
}

TEST_F(CallTest, AResultThatComesLateIsAResult) {
  lambdas_.run = [&](alloy_scope* scope, ArrowArray*, int32_t, ArrowArray* output) {
    while (scope->services->cancelled(scope) == 0) std::this_thread::yield();
    *output = Int64Batch({{1}}, nullptr);
    return ALLOY_OK;
  };
  auto call = Make({{"a"}});
  ArrowArray input = Int64Batch({{1}}, nullptr), output;
  ASSERT_TRUE(call->Run(&input, &output, 1'000'000, 0).ok());
  output.release(&output);
}

TEST_F(CallTest, AFailureBeforeTheDeadlineIsTheBackendsOwn) {
  lambdas_.run = [](alloy_scope* scope, ArrowArray*, int32_t, ArrowArray*) {
    return scope->services->fail(scope, ALLOY_RETRY, "later", 5);
  };
  auto call = Make({{"a"}});
  ArrowArray input = Int64Batch({{1}}, nullptr), output;
  const Status status = call->Run(&input, &output, INT64_MAX, 0);
  EXPECT_EQ(status.code(), ALLOY_RETRY);
  EXPECT_EQ(status.fault().text, "later");
  EXPECT_EQ(status.fault().side, ALLOY_SIDE_BACKEND);
}

TEST_F(CallTest, CodesThatAreNotABackendsToSayBecomeFailures) {
  alloy_code answer = ALLOY_OK;
  lambdas_.run = [&](alloy_scope*, ArrowArray*, int32_t, ArrowArray*) { return answer; };
  auto call = Make({{"a"}});
  const auto code_for = [&](alloy_code said) {
    answer = said;
    Releases in;
    ArrowArray input = Int64Batch({{1}}, &in), output;
    const Status status = call->Run(&input, &output, 0, 0);
    EXPECT_EQ(in.count, 1);
    EXPECT_NE(status.fault().text.find("test.lambdas"), std::string::npos);
    return status.code();
  };
  EXPECT_EQ(code_for(ALLOY_BUSY), ALLOY_FAILED);
  EXPECT_EQ(code_for(ALLOY_CLOSED), ALLOY_FAILED);
  EXPECT_EQ(code_for(ALLOY_LOST), ALLOY_FAILED);
  EXPECT_EQ(code_for(99), ALLOY_INTERNAL);
  EXPECT_EQ(code_for(-1), ALLOY_INTERNAL);
  EXPECT_EQ(code_for(ALLOY_EXHAUSTED), ALLOY_EXHAUSTED);
}

TEST_F(CallTest, TheWordsOfABackendAreUtf8WhateverItSaid) {
  lambdas_.run = [](alloy_scope* scope, ArrowArray*, int32_t, ArrowArray*) {
    return scope->services->fail(scope, ALLOY_FAILED, "caf\xe9 caf\xc3\xa9", -1);
  };
  auto call = Make({});
  ArrowArray output;
  EXPECT_EQ(call->Run(nullptr, &output, 0, 0).fault().text, "caf? caf\xc3\xa9");
}

TEST_F(CallTest, FailingWithOkIsAFaultOfTheBackendAndNoResult) {
  alloy_code said = ALLOY_OK;
  lambdas_.run = [&](alloy_scope* scope, ArrowArray*, int32_t, ArrowArray*) {
    return scope->services->fail(scope, said, "it failed", -1);
  };
  auto call = Make({});
  ArrowArray output;
  for (const alloy_code code : {0, 99, -1}) {
    said = code;
    const Status status = call->Run(nullptr, &output, 0, 0);
    EXPECT_EQ(status.code(), ALLOY_INTERNAL);
    EXPECT_EQ(status.fault().text, "it failed");
  }
}

TEST_F(CallTest, AnExceptionOutOfABackendIsItsFailure) {
  lambdas_.run = [](alloy_scope*, ArrowArray*, int32_t, ArrowArray*) -> alloy_code {
    throw std::runtime_error("boom");
  };
  auto call = Make({{"a"}});
  Releases in;
  ArrowArray input = Int64Batch({{1}}, &in), output;
  const Status status = call->Run(&input, &output, 0, 0);
  EXPECT_EQ(status.code(), ALLOY_FAILED);
  EXPECT_NE(status.fault().text.find("boom"), std::string::npos);
  EXPECT_EQ(in.count, 1);
}

TEST_F(CallTest, AFaultyInputNeverReachesTheBackend) {
  bool ran = false;
  lambdas_.run = [&](alloy_scope*, ArrowArray*, int32_t, ArrowArray* output) {
    ran = true;
    *output = Int64Batch({{1}}, nullptr);
    return ALLOY_OK;
  };
  auto call = Make({{"a"}, {"b", "c"}});
  Releases in;
  ArrowArray inputs[] = {Int64Batch({{1}}, &in), Int64Batch({{1}, {2}}, &in)};
  inputs[1].children[1]->length = -1;
  ArrowArray output;
  const Status status = call->Run(inputs, &output, 0, 0);
  EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
  EXPECT_EQ(status.fault().reason, ALLOY_REASON_LENGTH);
  EXPECT_EQ(status.fault().input, 1);
  EXPECT_EQ(status.fault().column, 1);
  EXPECT_EQ(status.fault().side, ALLOY_SIDE_CALLER);
  EXPECT_EQ(in.count, 2);
  EXPECT_FALSE(ran);
  ArrowArray good[] = {Int64Batch({{1}}, &in), Int64Batch({{1}, {2}}, &in)};
  ASSERT_TRUE(call->Run(good, &output, 0, 0).ok());
  output.release(&output);
}

TEST_F(CallTest, AFaultyResultIsTheBackendsFaultAndIsReleased) {
  Releases out;
  lambdas_.run = [&](alloy_scope*, ArrowArray*, int32_t, ArrowArray* output) {
    *output = Int64Batch({{1}}, &out);
    output->children[0]->n_buffers = 3;
    return ALLOY_OK;
  };
  auto call = Make({{"a"}});
  ArrowArray input = Int64Batch({{1}}, nullptr), output;
  const Status status = call->Run(&input, &output, 0, 0);
  EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
  EXPECT_EQ(status.fault().reason, ALLOY_REASON_BUFFER_COUNT);
  EXPECT_EQ(status.fault().input, -1);
  EXPECT_EQ(status.fault().side, ALLOY_SIDE_BACKEND);
  EXPECT_TRUE(status.fault().text.starts_with("the result of f of test.lambdas: "));
  EXPECT_EQ(out.count, 1);
  EXPECT_EQ(output.release, nullptr);
}

TEST_F(CallTest, AnInputOfTheSameOwnerThatWasMovedIsNoCopy) {
  // Two structs of one producer: one release, one owner of both.
  static int alive = 2;
  static const int64_t value = 7;
  static const void* values[] = {nullptr, &value};
  static const void* none[] = {nullptr};
  const auto release = [](ArrowArray* array) {
    array->release = nullptr;
    --alive;
  };
  ArrowArray columns[2] = {}, inputs[2] = {};
  ArrowArray* children[2] = {&columns[0], &columns[1]};
  for (int i = 0; i < 2; ++i) {
    columns[i].length = inputs[i].length = 1;
    columns[i].n_buffers = 2;
    columns[i].buffers = values;
    columns[i].release = [](ArrowArray* array) { array->release = nullptr; };
    inputs[i].n_buffers = 1;
    inputs[i].buffers = none;
    inputs[i].n_children = 1;
    inputs[i].children = &children[i];
    inputs[i].release = release;
    inputs[i].private_data = &alive;
  }
  lambdas_.run = [](alloy_scope*, ArrowArray* in, int32_t, ArrowArray* output) {
    OwnedArray(&in[0]).MoveTo(output);
    return ALLOY_OK;
  };
  auto call = Make({{"a"}, {"out"}});
  ArrowArray output;
  const Status status = call->Run(inputs, &output, 0, 0);
  ASSERT_TRUE(status.ok()) << status.fault().text;
  EXPECT_EQ(alive, 1);
  output.release(&output);
  EXPECT_EQ(alive, 0);
}

TEST_F(CallTest, AnInputThatWasCopiedInsteadOfMovedIsReleasedOnce) {
  lambdas_.run = [](alloy_scope*, ArrowArray* inputs, int32_t, ArrowArray* output) {
    *output = inputs[1];
    return ALLOY_OK;
  };
  auto call = Make({{"a"}, {"out"}});
  Releases in;
  ArrowArray inputs[] = {Int64Batch({{1}}, &in), Int64Batch({{2}}, &in)};
  ArrowArray output;
  const Status status = call->Run(inputs, &output, 0, 0);
  EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
  EXPECT_EQ(status.reason(), ALLOY_REASON_COPIED);
  EXPECT_EQ(status.fault().side, ALLOY_SIDE_BACKEND);
  EXPECT_EQ(output.release, nullptr);
  EXPECT_EQ(in.count, 2);
}

TEST_F(CallTest, AResultThatWasNeverFilledIsAFault) {
  lambdas_.run = [](alloy_scope*, ArrowArray*, int32_t, ArrowArray*) { return ALLOY_OK; };
  auto call = Make({{"a"}});
  ArrowArray input = Int64Batch({{1}}, nullptr), output;
  EXPECT_EQ(call->Run(&input, &output, 0, 0).reason(), ALLOY_REASON_ARRAY_RELEASED);
}

TEST_F(CallTest, ARowwiseFunctionMustGiveAsManyRows) {
  lambdas_.function.flags = ALLOY_ROWWISE;
  lambdas_.function.min_inputs = lambdas_.function.max_inputs = 1;
  auto call = Make({{"a"}});
  ArrowArray input = Int64Batch({{1, 2, 3}}, nullptr), output;
  EXPECT_EQ(call->Run(&input, &output, 0, 0).reason(), ALLOY_REASON_ROW_COUNT);
  ArrowArray one = Int64Batch({{1}}, nullptr);
  ASSERT_TRUE(call->Run(&one, &output, 0, 0).ok());
  output.release(&output);
}

TEST_F(CallTest, FromChunksMustGiveOneRow) {
  lambdas_.function.name = "from_chunks";
  int64_t rows = 2;
  lambdas_.run = [&](alloy_scope*, ArrowArray*, int32_t, ArrowArray* output) {
    *output = Int64Batch({std::vector<int64_t>(static_cast<size_t>(rows))}, nullptr);
    return ALLOY_OK;
  };
  auto call = Make({});
  ArrowArray output;
  EXPECT_EQ(call->Run(nullptr, &output, 0, 0).reason(), ALLOY_REASON_RESULT_SHAPE);
  rows = 1;
  ASSERT_TRUE(call->Run(nullptr, &output, 0, 0).ok());
  output.release(&output);
  // A null that was not counted is a null.
  static constexpr uint8_t kNone[] = {0};
  lambdas_.run = [&](alloy_scope*, ArrowArray*, int32_t, ArrowArray* out) {
    *out = Int64Batch({{1}}, nullptr);
    out->children[0]->null_count = -1;
    out->children[0]->buffers[0] = kNone;
    return ALLOY_OK;
  };
  EXPECT_EQ(call->Run(nullptr, &output, 0, 0).reason(), ALLOY_REASON_RESULT_SHAPE);
}

TEST_F(CallTest, PassesTheDeclaredColumnsAloneAndInTheirOrder) {
  const alloy_column wanted[] = {
      {"c", "", "l"}, {"a", "", nullptr}, {nullptr, nullptr, nullptr}};
  const alloy_column* const columns[] = {wanted, nullptr};
  lambdas_.function.columns = columns;
  std::vector<int64_t> seen;
  lambdas_.run = [&](alloy_scope*, ArrowArray* inputs, int32_t, ArrowArray* output) {
    for (int64_t i = 0; i < inputs[0].n_children; ++i) {
      seen.push_back(Int64Values(*inputs[0].children[i])[0]);
    }
    *output = Int64Batch({{1}}, nullptr);
    return ALLOY_OK;
  };
  auto call = Make({{"a", "b", "c"}});
  Releases in;
  ArrowArray input = Int64Batch({{1}, {2}, {3}}, &in), output;
  ASSERT_TRUE(call->Run(&input, &output, 0, 0).ok());
  output.release(&output);
  EXPECT_EQ(seen, (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(in.count, 1);
  EXPECT_EQ(Select({{"a", "b"}}).status().code(), ALLOY_NO_MATCH);
}

TEST_F(CallTest, WrongArgumentsTakeTheInputsAllTheSame) {
  auto call = Make({{"a"}});
  Releases in;
  ArrowArray input = Int64Batch({{1}}, &in), output;
  EXPECT_EQ(call->Run(&input, &output, -1, 0).code(), ALLOY_INVALID);
  EXPECT_EQ(in.count, 1);
  input = Int64Batch({{1}}, &in);
  EXPECT_EQ(call->Run(&input, nullptr, 0, 0).code(), ALLOY_INVALID);
  EXPECT_EQ(in.count, 2);
  EXPECT_EQ(call->Run(nullptr, &output, 0, 0).code(), ALLOY_INVALID);
}

TEST_F(CallTest, TellsTheProgressOfTheBackend) {
  lambdas_.run = [](alloy_scope* scope, ArrowArray*, int32_t, ArrowArray* output) {
    scope->services->progress(scope, 3, 10);
    *output = Int64Batch({{1}}, nullptr);
    return ALLOY_OK;
  };
  auto call = Make({});
  int64_t done = -1, total = -1;
  call->Progress(&done, &total);
  EXPECT_EQ(done, 0);
  EXPECT_EQ(total, 0);
  ArrowArray output;
  ASSERT_TRUE(call->Run(nullptr, &output, 0, 0).ok());
  output.release(&output);
  call->Progress(&done, &total);
  EXPECT_EQ(done, 3);
  EXPECT_EQ(total, 10);
}

}  // namespace
}  // namespace alloy::core
