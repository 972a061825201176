// SPDX-License-Identifier: MIT
//
// Streams of results as a host sees them: Call::OpenStream.
#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>
#include <thread>

#include "engine/stream/test_stream.h"

namespace alloy::core {
namespace {

using CallStreamTest = StreamTest;

TEST_F(CallStreamTest, AMapFunctionIsRunOnEachBatchAndNothingIsReadAhead) {
  lambdas_.run = [](alloy_scope*, ArrowArray* inputs, int32_t, ArrowArray* output) {
    *output = Int64Batch({{10 * Int64Values(*inputs[0].children[0])[0]}}, nullptr);
    return ALLOY_OK;
  };
  Releases in;
  TestStream input = StreamOfValues({"a"}, {1, 2}, &in);
  auto call = MakeCall({{"a"}});
  ASSERT_TRUE(Open(call, {&input}).ok());
  EXPECT_EQ(input.pulls, 0);
  ASSERT_EQ(Next(), 0);
  EXPECT_EQ(Value(), 10);
  EXPECT_EQ(input.pulls, 1);
  EXPECT_EQ(in.count, 1);
  ASSERT_EQ(Next(), 0);
  EXPECT_EQ(Value(), 20);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(Next(), 0);
    EXPECT_FALSE(batch_);
  }
  EXPECT_EQ(input.pulls, 3);  // the end is not asked for twice
  EXPECT_EQ(input.releases, 0);
  stream_.Release();
  EXPECT_EQ(input.releases, 1);
  EXPECT_EQ(in.count, 2);
}

TEST_F(CallStreamTest, AStreamFunctionPullsFromItsInputsOnDemand) {
  Answer([this](TestStream&, ArrowArray* out) {
    ArrowArray a, b;
    if (PullKept(0, &a) != 0 || PullKept(1, &b) != 0) return EIO;
    const OwnedArray left(&a), right(&b);
    *out = left ? Int64Batch({{Int64Values(*left->children[0])[0] +
                               Int64Values(*right->children[0])[0]}},
                             nullptr)
                : ArrowArray{};
    return 0;
  });
  Releases in;
  TestStream a = StreamOfValues({"a"}, {1, 2}, &in);
  TestStream b = StreamOfValues({"b"}, {30, 40}, &in);
  ASSERT_TRUE(Open(MakeCall({{"a"}, {"b"}}), {&a, &b}).ok());
  EXPECT_EQ(a.pulls + b.pulls, 0);
  ASSERT_EQ(Next(), 0);
  EXPECT_EQ(Value(), 31);
  EXPECT_EQ(a.pulls, 1);
  ASSERT_EQ(Next(), 0);
  EXPECT_EQ(Value(), 42);
  ASSERT_EQ(Next(), 0);
  EXPECT_FALSE(batch_);
  kept_.clear();
  stream_.Release();
  EXPECT_EQ(a.releases, 1);
  EXPECT_EQ(b.releases, 1);
  EXPECT_EQ(answer_.releases, 1);
  EXPECT_EQ(in.count, 4);
}

TEST_F(CallStreamTest, AnInputThatIsMovedOutMayBeTheResult) {
  lambdas_.function.flags = ALLOY_STREAM;
  Releases in;
  TestStream input = StreamOfValues({"out"}, {7}, &in);
  ASSERT_TRUE(Open(MakeCall({{"out"}}), {&input}).ok());
  ASSERT_EQ(Next(), 0);
  EXPECT_EQ(Value(), 7);
  stream_.Release();
  EXPECT_EQ(input.releases, 1);
  batch_.Release();
  EXPECT_EQ(in.count, 1);
}

TEST_F(CallStreamTest, AnInputThatIsCopiedInsteadOfMovedIsReleasedOnce) {
  lambdas_.function.flags = ALLOY_STREAM;
  lambdas_.open = [](alloy_scope*, ArrowArrayStream* inputs, int32_t,
                     ArrowArrayStream* output) {
    *output = inputs[0];
    return ALLOY_OK;
  };
  TestStream input = StreamOfValues({"out"}, {7}, nullptr);
  EXPECT_EQ(Open(MakeCall({{"out"}}), {&input}).reason(), ALLOY_REASON_COPIED);
  EXPECT_EQ(input.releases, 1);
}

TEST_F(CallStreamTest, TheSchemaAnswersAnyNumberOfTimesAlsoAfterAnError) {
  Answer([](TestStream& self, ArrowArray*) { return self.Fail(EIO, "no"); });
  ASSERT_TRUE(Open(MakeCall({}), {}).ok());
  for (int i = 0; i < 4; ++i) {
    ArrowSchema schema;
    ASSERT_EQ(stream_->get_schema(stream_.get(), &schema), 0);
    EXPECT_STREQ(OwnedSchema(&schema)->children[0]->name, "out");
    if (i == 1) {
      EXPECT_EQ(Next(), EIO);
    }
  }
}

TEST_F(CallStreamTest, TheFunctionSeesTheDeclaredColumnsAlone) {
  const alloy_column wanted[] = {
      {"c", "", "l"}, {"a", "", nullptr}, {nullptr, nullptr, nullptr}};
  const alloy_column* const columns[] = {wanted, nullptr};
  lambdas_.function.columns = columns;
  Answer([this](TestStream&, ArrowArray* out) {
    ArrowSchema schema;
    EXPECT_EQ(kept_[0]->get_schema(kept_[0].get(), &schema), 0);
    const OwnedSchema owner(&schema);
    EXPECT_EQ(owner->n_children, 2);
    EXPECT_STREQ(owner->children[0]->name, "c");
    ArrowArray in;
    EXPECT_EQ(PullKept(0, &in), 0);
    const OwnedArray batch(&in);
    EXPECT_EQ(batch->n_children, 2);
    *out = Int64Batch({{1}}, nullptr);
    return 0;
  });
  TestStream input = StreamOfValues({"a", "b", "c"}, {1}, nullptr);
  ASSERT_TRUE(Open(MakeCall({{"a", "b", "c"}}), {&input}).ok());
  EXPECT_EQ(Next(), 0);
}

TEST_F(CallStreamTest, AnOpenStreamKeepsItsCallBusyUntilItsRelease) {
  Answer([](TestStream&, ArrowArray* out) {
    *out = Int64Batch({{1}}, nullptr);
    return 0;
  });
  auto call = MakeCall({{"a"}});
  TestStream first = StreamOfValues({"a"}, {}, nullptr);
  TestStream second = StreamOfValues({"a"}, {}, nullptr);
  ASSERT_TRUE(Open(call, {&first}).ok());
  ArrowArrayStream refused = second.Make(), output;
  EXPECT_EQ(OpenCallStream(call, &refused, 1, &output, 0, 0).code(), ALLOY_BUSY);
  EXPECT_EQ(output.release, nullptr);
  ASSERT_NE(refused.release, nullptr);
  EXPECT_EQ(second.releases, 0);
  ArrowArray batch = Int64Batch({{1}}, nullptr), result;
  EXPECT_EQ(call->Run(&batch, &result, 0, 0).code(), ALLOY_BUSY);
  ASSERT_NE(batch.release, nullptr);
  batch.release(&batch);
  refused.release(&refused);
  kept_.clear();
  stream_.Release();
  ASSERT_TRUE(Open(call, {&second}).ok());
  ASSERT_EQ(Next(), 0);
}

TEST_F(CallStreamTest, AStreamOutlivesTheHostsOwnHandleOfItsCall) {
  Answer([](TestStream&, ArrowArray* out) {
    *out = Int64Batch({{5}}, nullptr);
    return 0;
  });
  auto call = MakeCall({});
  ASSERT_TRUE(Open(call, {}).ok());
  call.reset();
  served_.reset();
  EXPECT_EQ(lambdas_.unbinds, 0);
  ASSERT_EQ(Next(), 0);
  EXPECT_EQ(Value(), 5);
  stream_.Release();
  EXPECT_EQ(answer_.releases, 1);
  EXPECT_EQ(lambdas_.unbinds, 1);  // after the stream: the state was in use
  EXPECT_EQ(Value(), 5);           // a result refers to neither
}

TEST_F(CallStreamTest, AStreamFunctionIsNotRun) {
  Answer([](TestStream&, ArrowArray*) { return 0; });
  auto call = MakeCall({{"a"}});
  Releases in;
  ArrowArray input = Int64Batch({{1}}, &in), output;
  const Status status = call->Run(&input, &output, 0, 0);
  EXPECT_EQ(status.code(), ALLOY_INVALID);
  EXPECT_NE(status.fault().text.find("alloy_call_stream"), std::string::npos);
  EXPECT_EQ(in.count, 1);
}

TEST_F(CallStreamTest, WrongArgumentsTakeTheInputsAllTheSame) {
  Answer([](TestStream&, ArrowArray*) { return 0; });
  auto call = MakeCall({{"a"}, {"b"}});
  TestStream a = StreamOfValues({"a"}, {}, nullptr);
  TestStream b = StreamOfValues({"b"}, {}, nullptr);
  EXPECT_EQ(Open(call, {&a}).code(), ALLOY_INVALID);
  EXPECT_EQ(Open(call, {&a, &b}, -1).code(), ALLOY_INVALID);
  EXPECT_EQ(a.releases, 2);
  EXPECT_EQ(b.releases, 1);
  ArrowArrayStream inputs[] = {a.Make(), b.Make()}, output;
  EXPECT_EQ(OpenCallStream(call, inputs, 2, nullptr, 0, 0).code(), ALLOY_INVALID);
  EXPECT_EQ(OpenCallStream(call, nullptr, 2, &output, 0, 0).code(), ALLOY_INVALID);
  EXPECT_EQ(OpenCallStream(call, inputs, -1, &output, 0, 0).code(), ALLOY_INVALID);
  EXPECT_EQ(a.releases, 3);
  EXPECT_EQ(b.releases, 2);
  lambdas_.function.flags = 0;
  served_.reset();
  EXPECT_EQ(Open(MakeCall({{"a"}, {"b"}}), {&a, &b}).code(), ALLOY_INVALID);
  EXPECT_EQ(Open(MakeCall({}), {}).code(), ALLOY_INVALID);
}

TEST_F(CallStreamTest, AClosedBridgeEndsItsStreamsWithAnError) {
  Answer([](TestStream&, ArrowArray* out) {
    *out = Int64Batch({{1}}, nullptr);
    return 0;
  });
  ASSERT_TRUE(Open(MakeCall({}), {}).ok());
  ASSERT_EQ(Next(), 0);
  bridge_->Close();
  EXPECT_NE(Next(), 0);
  EXPECT_EQ(TheFault().code, ALLOY_CLOSED);
  EXPECT_EQ(answer_.pulls, 1);
}

TEST_F(CallStreamTest, ACancelEndsTheStreamAndItsInputsWithAnError) {
  Answer([this](TestStream&, ArrowArray* out) {
    ArrowArray in;
    const int number = PullKept(0, &in);
    if (number != 0) return number;
    OwnedArray(&in).MoveTo(out);
    return 0;
  });
  auto call = MakeCall({{"out"}});
  TestStream input = StreamOfValues({"out"}, {1, 2, 3}, nullptr);
  ASSERT_TRUE(Open(call, {&input}, 0, /*ticket=*/4).ok());
  ASSERT_EQ(Next(), 0);
  call->Cancel(3);
  ASSERT_EQ(Next(), 0);
  call->Cancel(4);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Next(), ECANCELED);
    EXPECT_EQ(TheFault().code, ALLOY_CANCELLED);
    EXPECT_EQ(TheFault().side, ALLOY_SIDE_CALLER);
  }
  ArrowArray in;
  EXPECT_EQ(PullKept(0, &in), ECANCELED);
  EXPECT_EQ(input.pulls, 2);
  kept_.clear();
  stream_.Release();
  EXPECT_EQ(Open(call, {&input}, 0, 4).code(), ALLOY_CANCELLED);
  ASSERT_TRUE(Open(call, {&input}, 0, 5).ok());
  EXPECT_EQ(Next(), 0);
}

TEST_F(CallStreamTest, ACancelEndsAMapFunctionBeforeItTakesABatch) {
  TestStream input = StreamOfValues({"a"}, {1, 2}, nullptr);
  auto call = MakeCall({{"a"}});
  ASSERT_TRUE(Open(call, {&input}, 0, 4).ok());
  ASSERT_EQ(Next(), 0);
  call->Cancel(4);
  EXPECT_EQ(Next(), ECANCELED);
  EXPECT_EQ(TheFault().code, ALLOY_CANCELLED);
  EXPECT_EQ(input.pulls, 1);
}

TEST_F(CallStreamTest, ABackendThatPollsAndStopsAfterACancelHasNotEnded) {
  std::atomic<bool> inside = false;
  Answer([&](TestStream&, ArrowArray*) {
    inside = true;
    inside.notify_all();
    while (scope_->services->cancelled(scope_) == 0) std::this_thread::yield();
    return 0;  // as if it were the end
  });
  auto call = MakeCall({});
  ASSERT_TRUE(Open(call, {}, 0, 1).ok());
  std::thread canceller([&] {
    inside.wait(false);
    call->Cancel(1);
  });
  EXPECT_EQ(Next(), ECANCELED);
  canceller.join();
  EXPECT_EQ(TheFault().code, ALLOY_CANCELLED);
}

TEST_F(CallStreamTest, ADeadlineIsForEachBatch) {
  int slow = -1;
  Answer([&](TestStream& self, ArrowArray* out) {
    if (self.pulls == slow) {
      while (scope_->services->cancelled(scope_) == 0) std::this_thread::yield();
      return self.Fail(EIO, "gave up");
    }
    EXPECT_EQ(scope_->services->cancelled(scope_), 0);
    *out = Int64Batch({{1}}, nullptr);
    return 0;
  });
  slow = 3;
  ASSERT_TRUE(Open(MakeCall({}), {}, 50'000'000).ok());
  ASSERT_EQ(Next(), 0);
  ASSERT_EQ(Next(), 0);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Next(), ETIMEDOUT);
    EXPECT_EQ(TheFault().code, ALLOY_TIMEOUT);
    EXPECT_EQ(LastError(), "the deadline has passed: gave up");
  }
  EXPECT_EQ(scope_->services->cancelled(scope_), 0);  // no time runs out between two
}

TEST_F(CallStreamTest, ABatchThatComesLateIsABatchButALateEndIsNone) {
  Answer([&](TestStream& self, ArrowArray* out) {
    while (scope_->services->cancelled(scope_) == 0) std::this_thread::yield();
    *out = self.pulls == 1 ? Int64Batch({{1}}, nullptr) : ArrowArray{};
    return 0;
  });
  ASSERT_TRUE(Open(MakeCall({}), {}, 1'000'000).ok());
  ASSERT_EQ(Next(), 0);
  EXPECT_EQ(Value(), 1);
  EXPECT_EQ(Next(), ETIMEDOUT);
  EXPECT_EQ(TheFault().code, ALLOY_TIMEOUT);
}

TEST_F(CallStreamTest, TheTimeInsideTheHostsOwnInputsIsNotTheBackends) {
  constexpr auto kTimeout = std::chrono::milliseconds(200);
  Answer([this](TestStream&, ArrowArray* out) {
    const int number = PullKept(0, out);
    EXPECT_EQ(scope_->services->cancelled(scope_), 0);
    return number;
  });
  TestStream input;
  input.next = [&](TestStream& self, ArrowArray* out) {
    const auto until = std::chrono::steady_clock::now() + 2 * kTimeout;
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    *out = self.pulls == 1 ? Int64Batch({{1}}, nullptr) : ArrowArray{};
    return 0;
  };
  ASSERT_TRUE(
      Open(MakeCall({{"out"}}), {&input}, std::chrono::nanoseconds(kTimeout).count())
          .ok());
  ASSERT_EQ(Next(), 0);
  EXPECT_TRUE(batch_);
  ASSERT_EQ(Next(), 0);  // a late input is no late end either
  EXPECT_FALSE(batch_);
}

TEST_F(CallStreamTest, AnInputThatIsAskedAfterTheDeadlineSaysSo) {
  Answer([this](TestStream&, ArrowArray* out) {
    while (scope_->services->cancelled(scope_) == 0) std::this_thread::yield();
    EXPECT_EQ(PullKept(0, out), ETIMEDOUT);
    return 0;  // and takes it for the end
  });
  TestStream input = StreamOfValues({"out"}, {1}, nullptr);
  ASSERT_TRUE(Open(MakeCall({{"out"}}), {&input}, 1'000'000).ok());
  EXPECT_EQ(Next(), ETIMEDOUT);
  EXPECT_EQ(TheFault().code, ALLOY_TIMEOUT);
  EXPECT_EQ(input.pulls, 0);
}

TEST_F(CallStreamTest, AReleaseInTheMiddleReleasesTheInputsOnce) {
  Answer([this](TestStream&, ArrowArray* out) { return PullKept(0, out); });
  Releases in;
  TestStream input = StreamOfValues({"out"}, {1, 2, 3}, &in);
  ASSERT_TRUE(Open(MakeCall({{"out"}}), {&input}).ok());
  ASSERT_EQ(Next(), 0);
  stream_.Release();
  // The backend has kept its end of the input; the host's end is gone all the same.
  EXPECT_EQ(input.releases, 1);
  ArrowArray late;
  EXPECT_EQ(PullKept(0, &late), ECANCELED);
  EXPECT_EQ(late.release, nullptr);
  kept_.clear();
  EXPECT_EQ(input.releases, 1);
  EXPECT_EQ(input.pulls, 1);
}

TEST_F(CallStreamTest, AnInputThatTheBackendReleasesEarlyIsReleasedThen) {
  Answer([this](TestStream&, ArrowArray* out) {
    const int number = PullKept(0, out);
    kept_.clear();
    return number;
  });
  TestStream input = StreamOfValues({"out"}, {1, 2, 3}, nullptr);
  ASSERT_TRUE(Open(MakeCall({{"out"}}), {&input}).ok());
  ASSERT_EQ(Next(), 0);
  EXPECT_EQ(input.releases, 1);
  stream_.Release();
  EXPECT_EQ(input.releases, 1);
}

TEST_F(CallStreamTest, ASecondUserAtTheSameTimeIsToldBusy) {
  Answer([this](TestStream& self, ArrowArray* out) {
    ArrowArray inner;
    if (self.pulls == 1) {
      EXPECT_EQ(stream_->get_next(stream_.get(), &inner), EBUSY);
    }
    *out = Int64Batch({{1}}, nullptr);
    return 0;
  });
  ASSERT_TRUE(Open(MakeCall({}), {}).ok());
  EXPECT_EQ(Next(), 0);
  EXPECT_EQ(Next(), 0);  // that it was busy is no failure of the stream
}

TEST_F(CallStreamTest, ProgressOfAStreamIsTold) {
  Answer([this](TestStream&, ArrowArray* out) {
    scope_->services->progress(scope_, 2, 5);
    *out = Int64Batch({{1}}, nullptr);
    return 0;
  });
  auto call = MakeCall({});
  ASSERT_TRUE(Open(call, {}).ok());
  ASSERT_EQ(Next(), 0);
  int64_t done = 0, total = 0;
  call->Progress(&done, &total);
  EXPECT_EQ(done, 2);
  EXPECT_EQ(total, 5);
  kept_.clear();
  stream_.Release();
  ASSERT_TRUE(Open(call, {}).ok());  // it has not reported anything yet
  call->Progress(&done, &total);
  EXPECT_EQ(done, 0);
  EXPECT_EQ(total, 0);
}

}  // namespace
}  // namespace alloy::core
