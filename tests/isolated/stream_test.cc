// SPDX-License-Identifier: MIT
//
// A backend that crashes or hangs in the middle of a stream, and streams that end early.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/isolated/isolated.h"

namespace {

using isolated::Contains;
using isolated::ExpectDoubled;
using isolated::ExpectSoonHeld;
using isolated::Held;
using isolated::Input;
using isolated::Options;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

class IsolatedStream : public testing::Test {
 protected:
  static alloy::Stream Inputs(int batches = 5) {
    std::vector<alloy::Batch> all;
    all.reserve(static_cast<size_t>(batches));
    for (int i = 0; i < batches; ++i) all.push_back(Input(WAY_WELL));
    return alloy::Stream::Of(std::move(all));
  }
  alloy::Result<alloy::Stream> Open(const std::string& at, alloy::Stream input,
                                    const alloy::CallLimits& limits = {}) {
    std::vector<alloy::Stream> inputs;
    inputs.push_back(std::move(input));
    return bridge_.Stream("flow", std::move(inputs), {{"at", at}}, limits);
  }
  int64_t Pid() { return support::Only<int64_t>(bridge_.Call("pid", Input(0)), "pid"); }
  std::string Found() {
    const auto found = bridge_.Call("found", Input(0));
    EXPECT_TRUE(found.ok()) << found.status();
    return std::string(*found->column<std::string_view>("text")->Get(0));
  }
  void ExpectServes() {
    auto stream = Open("nowhere", Inputs());
    ASSERT_TRUE(stream.ok()) << stream.status();
    for (int i = 0; i < 5; ++i) {
      auto batch = stream->Next();
      ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
      ExpectDoubled(**batch);
    }
    EXPECT_FALSE(stream->Next()->has_value());
  }

  // Two batches come, the third fails with this status, again and again.
  alloy::Status FailAtTheThird(
      alloy::Stream& stream, const std::function<void()>& before_it = [] {}) {
    std::vector<alloy::Batch> kept;
    for (int i = 0; i < 2; ++i) {
      auto batch = stream.Next();
      EXPECT_TRUE(batch.ok() && batch->has_value()) << batch.status();
      if (batch.ok() && batch->has_value()) kept.push_back(**std::move(batch));
    }
    before_it();
    const alloy::Status status = stream.Next().status();
    EXPECT_EQ(stream.Next().status().text(), status.text()) << "an error repeats";
    for (const alloy::Batch& batch : kept) ExpectDoubled(batch);
    ExpectServes();
    for (const alloy::Batch& batch : kept) ExpectDoubled(batch);
    return status;
  }

  // `fail` leaves nothing behind.
  template <typename Fail>
  void Survive(Fail&& fail) {
    {
      // The first deadline of a host starts its clock, a thread.
      auto stream = Open("nowhere", Inputs(), {.timeout = 1min});
      EXPECT_TRUE(stream.ok() && stream->Next().ok());
    }
    const Held before = Held::Now();
    fail();
    ExpectServes();
    ExpectSoonHeld(before, [this] { Pid(); });
  }

  static alloy::Bridge Load(std::chrono::nanoseconds grace) {
    return support::Load("tests/fragile", support::TestHost(),
                         Options({.output_bytes = int64_t{16} << 20,
                                  .heap_bytes = int64_t{64} << 20,
                                  .grace_ns = grace.count()}));
  }
  // For a backend that does not stop when it is asked. One that stops has all the time that
  // a slow machine wants, and keeps its worker.
  void ExpectDeaf() { bridge_ = Load(100ms); }

  alloy::Bridge bridge_ = Load(5min);
};

TEST_F(IsolatedStream, ACrashInTheMiddle) {
  Survive([this] {
    auto stream = Open("next", Inputs());
    ASSERT_TRUE(stream.ok()) << stream.status();
    const auto status = FailAtTheThird(*stream);
    EXPECT_EQ(status.code(), ALLOY_LOST) << status;
    EXPECT_TRUE(Contains(status,
                         "the worker of test.fragile died by SIGSEGV in flow, "
                         "batch 3"))
        << status;
  });
}

TEST_F(IsolatedStream, ACrashInOpen) {
  Survive([this] {
    const auto stream = Open("open", Inputs());
    EXPECT_EQ(stream.status().code(), ALLOY_LOST) << stream.status();
    EXPECT_TRUE(Contains(stream.status(), "died by SIGSEGV in flow")) << stream.status();
  });
}

TEST_F(IsolatedStream, ACrashInTheRelease) {
  Survive([this] {
    auto stream = Open("release", Inputs());
    ASSERT_TRUE(stream.ok()) << stream.status();
    const auto batch = stream->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    {
      const alloy::Stream released = *std::move(stream);
    }
    ExpectDoubled(**batch);
  });
}

TEST_F(IsolatedStream, AReleaseThatNeverEndsIsKilledAfterTheGraceTime) {
  ExpectDeaf();
  Survive([this] {
    auto stream = Open("release_loops", Inputs());
    ASSERT_TRUE(stream.ok()) << stream.status();
    ASSERT_TRUE(stream->Next().ok());
  });
}

TEST_F(IsolatedStream, AnEndlessBatchIsKilledAfterItsDeadline) {
  ExpectDeaf();
  Survive([this] {
    // Long enough for the two batches that come, on a slow machine too.
    auto stream = Open("loop", Inputs(), {.timeout = 2s});
    ASSERT_TRUE(stream.ok()) << stream.status();
    EXPECT_EQ(FailAtTheThird(*stream).code(), ALLOY_TIMEOUT);
  });
}

TEST_F(IsolatedStream, AnEndlessBatchIsKilledAfterACancel) {
  ExpectDeaf();
  Survive([this] {
    std::stop_source source;
    auto stream = Open("loop", Inputs(), {.stop = source.get_token()});
    ASSERT_TRUE(stream.ok()) << stream.status();
    std::jthread canceller;
    const auto status = FailAtTheThird(*stream, [&] {
      canceller = std::jthread([&] {
        std::this_thread::sleep_for(50ms);
        source.request_stop();
      });
    });
    EXPECT_EQ(status.code(), ALLOY_CANCELLED) << status;
  });
}

TEST_F(IsolatedStream, AnExceptionKeepsTheWorker) {
  const int64_t worker = Pid();
  {
    auto stream = Open("throw", Inputs());
    ASSERT_TRUE(stream.ok()) << stream.status();
    std::optional<alloy::Result<std::optional<alloy::Batch>>> last;
    for (int i = 0; i < 3; ++i) last = stream->Next();
    EXPECT_EQ(last->status().code(), ALLOY_FAILED);
    EXPECT_TRUE(Contains(last->status(), "the third is one too many")) << last->status();
  }
  EXPECT_EQ(Pid(), worker);
}

TEST_F(IsolatedStream, AnInputThatFailsIsTheErrorOfTheCaller) {
  const int64_t worker = Pid();
  {
    auto input = alloy::Stream::From(
        alloy::Schema::Copy(Input(0).schema()),
        [n = 0]() mutable -> alloy::Result<std::optional<alloy::Batch>> {
          if (n++ == 2) {
            return alloy::Status::Of(ALLOY_RETRY, "the disk is away", ALLOY_SIDE_CALLER);
          }
          return std::optional<alloy::Batch>(Input(WAY_WELL));
        });
    auto stream = Open("nowhere", std::move(input));
    ASSERT_TRUE(stream.ok()) << stream.status();
    const auto status = FailAtTheThird(*stream);
    EXPECT_EQ(status.code(), ALLOY_RETRY) << status;
    EXPECT_TRUE(Contains(status, "the disk is away")) << status;
  }
  EXPECT_EQ(Pid(), worker);
}

TEST_F(IsolatedStream, AReleaseWhileTheBackendReadsGivesItsInputAnEnd) {
  for (const char* at : {"drain", "ahead"}) {
    Survive([this, at] {
      const int64_t worker = Pid();
      {
        auto stream = Open(at, Inputs(1000));
        ASSERT_TRUE(stream.ok()) << stream.status();
        ASSERT_TRUE(stream->Next().ok());
      }
      EXPECT_NE(Found().find("the stream of results is already released"),
                std::string::npos)
          << at << ": " << Found();
      EXPECT_EQ(Pid(), worker) << at;
    });
  }
}

TEST_F(IsolatedStream, AllWorkersInStreamsAreBusyAtOnce) {
  alloy::Bridge bridge =
      support::Load("tests/fragile", support::TestHost(), Options({.max_workers = 1}));
  std::vector<alloy::Stream> inputs;
  inputs.push_back(Inputs());
  auto first = bridge.Stream("flow", std::move(inputs));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(bridge.Call("pid", Input(0)).status().code(), ALLOY_BUSY);
  {
    const alloy::Stream released = *std::move(first);
  }
  const auto next = bridge.Call("pid", Input(0));
  EXPECT_TRUE(next.ok()) << next.status();
}

// ---- Memory

TEST_F(IsolatedStream, AHeapThatIsUsedUpInCppIsAnError) {
  if (!isolated::kHasHeapLimit) GTEST_SKIP() << "a sanitizer has no limit of the heap";
  Survive([this] {
    const int64_t worker = Pid();
    const auto status = bridge_.Call("use_up_heap", Input(0)).status();
    EXPECT_EQ(status.code(), ALLOY_EXHAUSTED) << status;
    EXPECT_EQ(Pid(), worker) << "an exception keeps the worker";
  });
}

TEST_F(IsolatedStream, AResultAboveTheLimitNamesBothNumbers) {
  Survive([this] {
    // 24 MB of values, and a limit of 16 MiB.
    const auto status = bridge_.Call("rows", Input(0), {{"rows", "3000000"}}).status();
    EXPECT_EQ(status.code(), ALLOY_EXHAUSTED) << status;
    EXPECT_TRUE(Contains(status, "24000000") || Contains(status, "240000")) << status;
    EXPECT_TRUE(Contains(status, "16777216")) << status;
    EXPECT_TRUE(bridge_.Call("rows", Input(0), {{"rows", "1000"}}).ok());
  });
}

TEST_F(IsolatedStream, ResultsThatAreHeldNeverFillTheMemory) {
  Survive([this] {
    std::vector<alloy::Batch> held;
    for (int i = 0; i < 20; ++i) {
      // 3.2 MB each, 64 MB together.
      auto result = bridge_.Call("rows", Input(0), {{"rows", "400000"}});
      ASSERT_TRUE(result.ok()) << i << ": " << result.status();
      held.push_back(*std::move(result));
    }
    for (const alloy::Batch& batch : held) {
      ASSERT_EQ(batch.rows(), 400'000);
      for (int64_t row = 0; row < batch.rows(); row += 9'973) {
        EXPECT_EQ(*batch.column<int64_t>("x")->Get(row), row);
      }
    }
  });
}

}  // namespace
