// SPDX-License-Identifier: MIT
//
// What goes wrong in the streams of hosts and of backends.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "engine/stream/test_stream.h"

namespace alloy::core {
namespace {

using StreamFaultsTest = StreamTest;

TEST_F(StreamFaultsTest, AnInputsOwnErrorComesBackAsItWas) {
  // Whatever the backend makes of it.
  const std::function<int(int)> makes[] = {
      [](int number) { return number; },
      [](int) { return EINVAL; },
      [](int) { return 0; },  // the end, it says
  };
  for (const auto& make : makes) {
    Answer([&](TestStream&, ArrowArray* out) {
      ArrowArray in;
      for (int i = 0; i < 2; ++i) {
        const int number = PullKept(1, &in);
        if (number != 0) {
          EXPECT_EQ(PullKept(1, &in), number);  // it repeats
          EXPECT_STREQ(kept_[1]->get_last_error(kept_[1].get()), "disk on fire");
          return make(number);
        }
        OwnedArray(&in).Release();
      }
      *out = ArrowArray{};
      return 0;
    });
    served_.reset();
    TestStream quiet = StreamOfValues({"a"}, {1, 2}, nullptr);
    TestStream fails;
    fails.columns = {"b"};
    fails.next = [](TestStream& self, ArrowArray* out) {
      if (self.pulls > 1) return self.Fail(77, "disk on fire");
      *out = Int64Batch({{1}}, nullptr);
      return 0;
    };
    ASSERT_TRUE(Open(MakeCall({{"a"}, {"b"}}), {&quiet, &fails}).ok());
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(Next(), 77);
      EXPECT_EQ(LastError(), "disk on fire");
      EXPECT_EQ(TheFault().code, ALLOY_FAILED);
      EXPECT_EQ(TheFault().reason, ALLOY_REASON_INPUT_FAILED);
      EXPECT_EQ(TheFault().side, ALLOY_SIDE_CALLER);
      EXPECT_EQ(TheFault().input, 1);
      EXPECT_EQ(TheFault().text, "disk on fire");
    }
    EXPECT_EQ(fails.pulls, 2);
    kept_.clear();
    stream_.Release();
  }
}

TEST_F(StreamFaultsTest, ABatchMadeAfterAnInputHasFailedIsNotDelivered) {
  Releases out_releases;
  Answer([&](TestStream&, ArrowArray* out) {
    ArrowArray in;
    EXPECT_EQ(PullKept(0, &in), EIO);
    *out = Int64Batch({{1}}, &out_releases);  // of what it had until then
    return 0;
  });
  TestStream input;
  input.next = [](TestStream& self, ArrowArray*) { return self.Fail(EIO, "lost"); };
  ASSERT_TRUE(Open(MakeCall({{"out"}}), {&input}).ok());
  EXPECT_EQ(Next(), EIO);
  EXPECT_EQ(LastError(), "lost");
  EXPECT_EQ(out_releases.count, 1);
}

TEST_F(StreamFaultsTest, AMapFunctionsInputFailsAsItself) {
  TestStream input;
  input.columns = {"a"};
  input.next = [](TestStream& self, ArrowArray*) { return self.Fail(ENOSPC, "full"); };
  ASSERT_TRUE(Open(MakeCall({{"a"}}), {&input}).ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Next(), ENOSPC);
    EXPECT_EQ(LastError(), "full");
    EXPECT_EQ(TheFault().input, 0);
    EXPECT_EQ(TheFault().side, ALLOY_SIDE_CALLER);
  }
  EXPECT_EQ(input.pulls, 1);
}

TEST_F(StreamFaultsTest, AnErrorOfAChainedStreamIsToldWhole) {
  Answer([this](TestStream&, ArrowArray*) {
    scope_->services->fail(scope_, ALLOY_RETRY, "later", -1);
    return EIO;
  });
  auto inner = MakeCall({});
  ASSERT_TRUE(Open(inner, {}).ok());
  OwnedArrayStream first = std::move(stream_);
  lambdas_.function.flags = 0;
  served_.reset();
  ArrowArrayStream output;
  ASSERT_TRUE(OpenCallStream(MakeCall({{"out"}}), first.get(), 1, &output, 0, 0).ok());
  stream_ = OwnedArrayStream(&output);
  EXPECT_EQ(Next(), EIO);
  EXPECT_EQ(TheFault().code, ALLOY_RETRY);
  EXPECT_EQ(TheFault().text, "later");
  EXPECT_EQ(TheFault().side, ALLOY_SIDE_CALLER);
  EXPECT_EQ(TheFault().input, 0);
}

TEST_F(StreamFaultsTest, AnErrorWithoutATextGetsOne) {
  TestStream input;
  input.columns = {"a"};
  input.next = [](TestStream&, ArrowArray*) { return ENOENT; };
  ASSERT_TRUE(Open(MakeCall({{"a"}}), {&input}).ok());
  EXPECT_EQ(Next(), ENOENT);
  EXPECT_NE(LastError().find("errno 2 (No such file"), std::string::npos) << LastError();
  Answer([](TestStream&, ArrowArray*) { return -3; });
  served_.reset();
  ASSERT_TRUE(Open(MakeCall({}), {}).ok());
  EXPECT_EQ(Next(), -3);
  EXPECT_NE(LastError().find("f of test.lambdas failed without a text: errno -3"),
            std::string::npos)
      << LastError();
}

TEST_F(StreamFaultsTest, AFaultyBatchOfAnInputIsAnErrorAndReleasedOnce) {
  bool tells = true;
  const auto faulty = [](Releases* releases) {
    ArrowArray batch = Int64Batch({{1}}, releases);
    batch.children[0]->length = -1;
    return batch;
  };
  for (tells = true;; tells = false) {
    Releases in;
    Answer([&](TestStream&, ArrowArray* out) {
      const int number = PullKept(0, out);
      EXPECT_EQ(number, EINVAL);
      EXPECT_EQ(out->release, nullptr);
      return tells ? number : 0;
    });
    served_.reset();
    TestStream input;
    input.next = [&](TestStream&, ArrowArray* out) {
      *out = faulty(&in);
      return 0;
    };
    ASSERT_TRUE(Open(MakeCall({{"out"}}), {&input}).ok());
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(Next(), EINVAL);
      EXPECT_EQ(TheFault().code, ALLOY_BAD_DATA);
      EXPECT_EQ(TheFault().reason, ALLOY_REASON_LENGTH);
      EXPECT_EQ(TheFault().input, 0);
      EXPECT_EQ(TheFault().column, 0);
      EXPECT_EQ(TheFault().side, ALLOY_SIDE_CALLER);
    }
    EXPECT_EQ(in.count, 1);
    kept_.clear();
    stream_.Release();
    if (!tells) break;
  }
}

TEST_F(StreamFaultsTest, AFaultyResultIsTheBackendsAndReleasedOnce) {
  Releases out_releases;
  Answer([&](TestStream&, ArrowArray* out) {
    *out = Int64Batch({{1}}, &out_releases);
    out->children[0]->n_buffers = 3;
    return 0;
  });
  ASSERT_TRUE(Open(MakeCall({}), {}).ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Next(), EINVAL);
    EXPECT_EQ(TheFault().code, ALLOY_BAD_DATA);
    EXPECT_EQ(TheFault().reason, ALLOY_REASON_BUFFER_COUNT);
    EXPECT_EQ(TheFault().side, ALLOY_SIDE_BACKEND);
    EXPECT_EQ(TheFault().input, -1);
    EXPECT_TRUE(LastError().starts_with("the result of f of test.lambdas: "));
  }
  EXPECT_EQ(answer_.pulls, 1);
  EXPECT_EQ(out_releases.count, 1);
}

TEST_F(StreamFaultsTest, WhatABackendLeftWithFailIsWhatTheHostGets) {
  Answer([this](TestStream& self, ArrowArray*) {
    scope_->services->fail(scope_, ALLOY_RETRY, "not now", -1);
    return self.Fail(EIO, "something else");
  });
  ASSERT_TRUE(Open(MakeCall({}), {}).ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Next(), EIO);
    EXPECT_EQ(LastError(), "not now");
    EXPECT_EQ(TheFault().code, ALLOY_RETRY);
    EXPECT_EQ(TheFault().side, ALLOY_SIDE_BACKEND);
  }
  EXPECT_EQ(answer_.pulls, 1);
}

TEST_F(StreamFaultsTest, APlainStreamsErrnoTellsTheCode) {
  const auto code_for = [&](int number) {
    Answer(
        [number](TestStream& self, ArrowArray*) { return self.Fail(number, "caf\xe9"); });
    served_.reset();
    EXPECT_TRUE(Open(MakeCall({}), {}).ok());
    EXPECT_EQ(Next(), number);
    EXPECT_EQ(TheFault().text, "caf?");
    return TheFault().code;
  };
  EXPECT_EQ(code_for(EIO), ALLOY_FAILED);
  EXPECT_EQ(code_for(ENOMEM), ALLOY_EXHAUSTED);
  EXPECT_EQ(code_for(EAGAIN), ALLOY_RETRY);
  EXPECT_EQ(code_for(ENOTSUP), ALLOY_UNSUPPORTED);
}

TEST_F(StreamFaultsTest, AnExceptionInsideABackendsStreamIsAnError) {
  Answer([](TestStream&, ArrowArray*) -> int { throw std::runtime_error("boom"); });
  ASSERT_TRUE(Open(MakeCall({}), {}).ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Next(), EIO);
    EXPECT_EQ(TheFault().code, ALLOY_FAILED);
    EXPECT_EQ(TheFault().side, ALLOY_SIDE_BACKEND);
    EXPECT_NE(LastError().find("boom"), std::string::npos);
  }
  stream_.Release();
  EXPECT_EQ(answer_.releases, 1);
}

TEST_F(StreamFaultsTest, AnExceptionInsideAHostsStreamIsItsError) {
  TestStream input;
  input.columns = {"a"};
  input.next = [](TestStream&, ArrowArray*) -> int { throw std::runtime_error("bang"); };
  ASSERT_TRUE(Open(MakeCall({{"a"}}), {&input}).ok());
  EXPECT_EQ(Next(), EIO);
  EXPECT_NE(LastError().find("bang"), std::string::npos);
  EXPECT_EQ(TheFault().side, ALLOY_SIDE_CALLER);
}

TEST_F(StreamFaultsTest, WhatAFailedGetNextLeavesInTheStructIsNotTouched) {
  const auto garbage = [](TestStream& self, ArrowArray* out) {
    std::memset(out, 0xAB, sizeof(*out));
    return self.Fail(EIO, "garbage");
  };
  TestStream input;
  input.columns = {"a"};
  input.next = garbage;
  ASSERT_TRUE(Open(MakeCall({{"a"}}), {&input}).ok());
  EXPECT_EQ(Next(), EIO);
  Answer(garbage);
  served_.reset();
  ASSERT_TRUE(Open(MakeCall({}), {}).ok());
  EXPECT_EQ(Next(), EIO);
  EXPECT_EQ(LastError(), "garbage");
}

TEST_F(StreamFaultsTest, AStreamThatIsNoneIsRefusedAtTheOpening) {
  Answer([](TestStream&, ArrowArray*) { return 0; });
  auto call = MakeCall({{"a"}, {"a"}});
  TestStream good = StreamOfValues({"a"}, {}, nullptr);
  TestStream bad = StreamOfValues({"a"}, {}, nullptr);
  int releases = 0;
  const auto reason_for = [&](void (*spoil)(ArrowArrayStream*)) {
    ArrowArrayStream inputs[] = {good.Make(), bad.Make()}, output;
    spoil(&inputs[1]);
    const bool owned = inputs[1].release != nullptr;
    const Status status = OpenCallStream(call, inputs, 2, &output, 0, 0);
    EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
    EXPECT_EQ(output.release, nullptr);
    EXPECT_EQ(status.fault().input, 1);
    EXPECT_EQ(status.fault().side, ALLOY_SIDE_CALLER);
    EXPECT_EQ(good.releases, ++releases);
    EXPECT_EQ(bad.releases, owned ? 1 : 0);
    bad.releases = 0;
    return status.reason();
  };
  EXPECT_EQ(reason_for([](ArrowArrayStream* s) { *s = {}; }),
            ALLOY_REASON_STREAM_RELEASED);
  EXPECT_EQ(reason_for([](ArrowArrayStream* s) { s->get_next = nullptr; }),
            ALLOY_REASON_STREAM_CALLBACK);
  EXPECT_EQ(reason_for([](ArrowArrayStream* s) { s->get_schema = nullptr; }),
            ALLOY_REASON_STREAM_CALLBACK);
  bad.columns = {"b"};
  EXPECT_EQ(reason_for([](ArrowArrayStream*) {}), ALLOY_REASON_STREAM_SCHEMA);
  bad.columns = {"a", "a"};
  EXPECT_EQ(reason_for([](ArrowArrayStream*) {}), ALLOY_REASON_STREAM_SCHEMA);
  EXPECT_EQ(reason_for([](ArrowArrayStream* s) {
              s->get_schema = [](ArrowArrayStream*, ArrowSchema*) { return 0; };
            }),
            ALLOY_REASON_SCHEMA_RELEASED);
  EXPECT_EQ(reason_for([](ArrowArrayStream* s) {
              s->get_schema = [](ArrowArrayStream*, ArrowSchema* out) {
                Int64Schema({"a"}).MoveTo(out);
                out->children[0]->format = nullptr;
                return 0;
              };
            }),
            ALLOY_REASON_FORMAT_NULL);
}

TEST_F(StreamFaultsTest, OneStreamAsSeveralInputsIsInvalidAndReleasedOnce) {
  Answer([](TestStream&, ArrowArray* out) {
    *out = ArrowArray{};
    return 0;
  });
  TestStream first = StreamOfValues({"a"}, {1}, nullptr);
  TestStream second = StreamOfValues({"a"}, {2}, nullptr);
  ArrowArrayStream inputs[] = {first.Make(), second.Make(), first.Make(), second.Make()};
  ArrowArrayStream output;
  const Status status =
      OpenCallStream(MakeCall({{"a"}, {"a"}, {"a"}, {"a"}}), inputs, 4, &output, 0, 0);
  EXPECT_EQ(status.code(), ALLOY_INVALID);
  EXPECT_EQ(status.reason(), ALLOY_REASON_SAME_STREAM);
  EXPECT_EQ(status.fault().input, 2);
  EXPECT_EQ(status.fault().side, ALLOY_SIDE_CALLER);
  EXPECT_EQ(first.releases, 1);
  EXPECT_EQ(second.releases, 1);
  for (const ArrowArrayStream& input : inputs) EXPECT_EQ(input.release, nullptr);
}

TEST_F(StreamFaultsTest, StreamsWithoutPrivateDataMayShareTheirCallbacks) {
  Answer([](TestStream&, ArrowArray* out) {
    *out = ArrowArray{};
    return 0;
  });
  const ArrowArrayStream empty{
      .get_schema =
          [](ArrowArrayStream*, ArrowSchema* out) {
            Int64Schema({"a"}).MoveTo(out);
            return 0;
          },
      .get_next =
          [](ArrowArrayStream*, ArrowArray* out) {
            *out = ArrowArray{};
            return 0;
          },
      .get_last_error = [](ArrowArrayStream*) -> const char* { return nullptr; },
      .release = [](ArrowArrayStream* stream) { stream->release = nullptr; },
      .private_data = nullptr};
  ArrowArrayStream inputs[] = {empty, empty};
  ArrowArrayStream output;
  ASSERT_TRUE(OpenCallStream(MakeCall({{"a"}, {"a"}}), inputs, 2, &output, 0, 0).ok());
  output.release(&output);
  kept_.clear();
}

TEST_F(StreamFaultsTest, AStreamWithoutATextOfItsErrorsIsAStream) {
  TestStream input;
  input.columns = {"a"};
  input.next = [](TestStream&, ArrowArray*) { return EIO; };
  auto call = MakeCall({{"a"}});
  EndWith(&input);
  ArrowArrayStream stream = input.Make(), output;
  stream.get_last_error = nullptr;
  ASSERT_TRUE(OpenCallStream(call, &stream, 1, &output, 0, 0).ok());
  stream_ = OwnedArrayStream(&output);
  EXPECT_EQ(Next(), EIO);
}

TEST_F(StreamFaultsTest, AnInputWhoseSchemaFailsIsItsOwnError) {
  Answer([](TestStream&, ArrowArray*) { return 0; });
  TestStream input = StreamOfValues({"a"}, {}, nullptr);
  input.schema_errno = EIO;
  input.text = "no footer";
  const Status status = Open(MakeCall({{"a"}}), {&input});
  EXPECT_EQ(status.reason(), ALLOY_REASON_INPUT_FAILED);
  EXPECT_EQ(status.fault().text, "no footer");
  EXPECT_EQ(status.fault().input, 0);
  EXPECT_EQ(input.releases, 1);
}

TEST_F(StreamFaultsTest, AnOpenThatFailsReleasesEverything) {
  TestStream result = StreamOfValues({"out"}, {}, nullptr);
  lambdas_.function.flags = ALLOY_STREAM;
  lambdas_.open = [&](alloy_scope* scope, ArrowArrayStream* inputs, int32_t,
                      ArrowArrayStream* output) {
    kept_.emplace_back(&inputs[0]);
    *output = result.Make();
    return scope->services->fail(scope, ALLOY_FAILED, "cannot open", -1);
  };
  auto call = MakeCall({{"a"}, {"b"}});
  TestStream a = StreamOfValues({"a"}, {}, nullptr);
  TestStream b = StreamOfValues({"b"}, {}, nullptr);
  const Status status = Open(call, {&a, &b});
  EXPECT_EQ(status.code(), ALLOY_FAILED);
  EXPECT_EQ(status.fault().text, "cannot open");
  EXPECT_EQ(status.fault().side, ALLOY_SIDE_BACKEND);
  EXPECT_EQ(result.releases, 1);
  EXPECT_EQ(a.releases, 1);
  EXPECT_EQ(b.releases, 1);
  kept_.clear();
  EXPECT_EQ(a.releases, 1);
  // The call is free again.
  EXPECT_EQ(Open(call, {&a, &b}).code(), ALLOY_FAILED);
}

TEST_F(StreamFaultsTest, AnOpenThatThrowsFails) {
  lambdas_.function.flags = ALLOY_STREAM;
  lambdas_.open = [](alloy_scope*, ArrowArrayStream*, int32_t,
                     ArrowArrayStream*) -> alloy_code { throw std::runtime_error("x"); };
  TestStream a = StreamOfValues({"a"}, {}, nullptr);
  EXPECT_EQ(Open(MakeCall({{"a"}}), {&a}).code(), ALLOY_FAILED);
  EXPECT_EQ(a.releases, 1);
}

TEST_F(StreamFaultsTest, AnOpenWhoseInputFailsAnswersTheInputsError) {
  lambdas_.function.flags = ALLOY_STREAM;
  lambdas_.open = [this](alloy_scope*, ArrowArrayStream* inputs, int32_t,
                         ArrowArrayStream* output) {
    ArrowArray in;
    EXPECT_EQ(inputs[0].get_next(&inputs[0], &in), EIO);
    answer_.next = [](TestStream&, ArrowArray*) { return 0; };
    *output = answer_.Make();
    return ALLOY_OK;
  };
  TestStream a;
  a.columns = {"a"};
  a.next = [](TestStream& self, ArrowArray*) { return self.Fail(EIO, "lost"); };
  const Status status = Open(MakeCall({{"a"}}), {&a});
  EXPECT_EQ(status.reason(), ALLOY_REASON_INPUT_FAILED);
  EXPECT_EQ(status.fault().text, "lost");
  EXPECT_EQ(answer_.releases, 1);
}

TEST_F(StreamFaultsTest, AnOpenWithoutAStreamIsTheBackendsFault) {
  const auto reason_for = [&](auto give) {
    lambdas_.function.flags = ALLOY_STREAM;
    answer_.next = [](TestStream&, ArrowArray*) { return 0; };
    lambdas_.open = [&](alloy_scope*, ArrowArrayStream*, int32_t,
                        ArrowArrayStream* output) {
      give(output);
      return ALLOY_OK;
    };
    served_.reset();
    const Status status = Open(MakeCall({}), {});
    EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
    EXPECT_EQ(status.fault().side, ALLOY_SIDE_BACKEND);
    return status.reason();
  };
  EXPECT_EQ(reason_for([](ArrowArrayStream*) {}), ALLOY_REASON_STREAM_RELEASED);
  EXPECT_EQ(reason_for([this](ArrowArrayStream* out) {
              *out = answer_.Make();
              out->get_next = nullptr;
            }),
            ALLOY_REASON_STREAM_CALLBACK);
  EXPECT_EQ(answer_.releases, 1);
}

TEST_F(StreamFaultsTest, NullPointersOfTheHostAreAnswered) {
  Answer([](TestStream&, ArrowArray*) { return 0; });
  ASSERT_TRUE(Open(MakeCall({}), {}).ok());
  EXPECT_EQ(stream_->get_next(stream_.get(), nullptr), EINVAL);
  EXPECT_EQ(stream_->get_schema(stream_.get(), nullptr), EINVAL);
}

}  // namespace
}  // namespace alloy::core
