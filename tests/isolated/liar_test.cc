// SPDX-License-Identifier: MIT
//
// A hostile worker program, which lies in one field at one step: lies.h and liar.cc. Each time
// the host gets a right result or a typed error, in time, and keeps nothing.
//
// The suite tells each lie at each step once. More, with other numbers:
//   ALLOY_LIES=20000 build/tests/isolated_liar_test
#include <gtest/gtest.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/isolated/isolated.h"
#include "tests/isolated/lies.h"

namespace {

using isolated::Held;
using lies::Lie;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint32_t kSetupMs = 2000;  // a worker starts slowly
constexpr uint32_t kStride = 9;      // each lie at some steps, each step with some lies
#else
constexpr uint32_t kSetupMs = 300;
constexpr uint32_t kStride = 1;
#endif

struct Free {
  void operator()(alloy_host* host) const { alloy_host_free(host); }
  void operator()(alloy_bridge* bridge) const { alloy_bridge_free(bridge); }
};

class IsolatedLiar : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("alloy_liar_" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
    // What the first bridge of a process starts stays.
    Meet(lies::SeedOf(Lie::kWord, 2));
    before_ = Held::Now();
  }
  void TearDown() override {
    isolated::ExpectSoonHeld(before_, [] {});
    std::filesystem::remove_all(folder_);
  }

  // A bridge whose workers lie. NULL: the load has failed.
  struct Bridge {
    std::unique_ptr<alloy_host, Free> host;
    std::unique_ptr<alloy_bridge, Free> bridge;
    alloy_error error{};
  };
  Bridge Load(uint32_t seed, const char* name = "liar.", uint32_t setup_ms = kSetupMs) {
    const std::string program = folder_ / (name + std::to_string(seed));
    std::error_code exists;
    std::filesystem::create_symlink(ALLOY_TEST_BUILD "/tests/isolated_liar", program,
                                    exists);
    Bridge made;
    alloy_host_options options{};
    options.struct_size = sizeof(options);
    options.flags = ALLOY_ALLOW_UNSIGNED;
    options.worker = program.c_str();
    options.log_mode = 2;
    alloy_host* host = nullptr;
    EXPECT_EQ(alloy_host_new(&options, &host, &made.error), ALLOY_OK) << made.error.text;
    made.host.reset(host);
    alloy_bridge_options limits{};
    limits.struct_size = sizeof(limits);
    limits.isolated = 1;
    limits.grace_ns = 20'000'000;
    limits.setup_ms = setup_ms;
    limits.output_bytes = int64_t{64} << 20;
    alloy_bridge* bridge = nullptr;
    EXPECT_EQ(alloy_bridge_new(host, &limits, &bridge, &made.error), ALLOY_OK)
        << made.error.text;
    made.bridge.reset(bridge);
    const std::string library = support::BackendPath("tests/streams");
    ExpectTyped(alloy_bridge_load(bridge, library.c_str(), nullptr, &made.error),
                made.error);
    if (made.error.code != ALLOY_OK) made.bridge.reset();
    return made;
  }

  // Loads, binds, runs and streams with workers that lie. Returns the errors.
  std::vector<alloy::Status> Meet(uint32_t seed) {
    std::vector<alloy::Status> errors;
    const auto note = [&](const alloy::Status& status) {
      if (status.ok()) return;
      ExpectTyped(status.code());
      EXPECT_FALSE(status.text().empty());
      EXPECT_TRUE(IsHarmless(status.text())) << status;
      errors.push_back(status);
    };
    const Bridge bridge = Load(seed);
    if (bridge.bridge == nullptr) {
      note(alloy::Status(bridge.error));
      return errors;
    }
    const bool is_right = lies::KeepsBody(lies::LieOf(seed));
    const alloy::Batch input = isolated::Input(7, 1000);
    auto call = alloy::BoundCall::Bind(names_, bridge.bridge.get(), "double",
                                       std::span(&input.schema(), 1), {});
    note(call.status());
    for (int i = 0; call.ok() && i < 3; ++i) {
      const auto result = call->Run(isolated::Input(7, 1000), {.timeout = call_timeout_});
      note(result.status());
      if (!result.ok()) continue;
      Read(*result);
      if (is_right) ExpectRight(*result, 2);
    }
    Stream(bridge.bridge.get(), is_right, note);
    return errors;
  }

  template <typename Note>
  void Stream(alloy_bridge* bridge, bool is_right, Note&& note) {
    alloy_error error{};
    std::vector<alloy::Batch> batches;
    batches.reserve(3);
    for (int i = 0; i < 3; ++i) batches.push_back(isolated::Input(7, 1000));
    alloy_call* streaming = nullptr;
    alloy_code code = alloy_call_bind(bridge, "pass", &batches[0].schema(), 1, nullptr,
                                      &streaming, &error);
    ExpectTyped(code, error);
    if (code != ALLOY_OK) return note(alloy::Status(error));
    const support::CallHandle handle(streaming);
    alloy::Stream source = alloy::Stream::Of(std::move(batches));
    ArrowArrayStream raw = *source.get(), opened{};
    source.get()->release = nullptr;
    code = alloy_call_stream(streaming, &raw, 1, &opened, batch_ns_, 0, &error);
    ExpectTyped(code, error);
    EXPECT_EQ(raw.release, nullptr) << "the input stays with the caller";
    if (code != ALLOY_OK) return note(alloy::Status(error));
    auto stream = alloy::Stream::Import(&opened);
    note(stream.status());
    for (int i = 0; stream.ok() && i < 10; ++i) {
      const auto batch = stream->Next();
      note(batch.status());
      if (!batch.ok() || !batch->has_value()) break;
      Read(**batch);
      if (is_right) ExpectRight(**batch, 1);
    }
  }

  static void ExpectTyped(alloy_code code) {
    EXPECT_GE(code, ALLOY_OK);
    EXPECT_LE(code, ALLOY_INTERNAL);
  }
  static void ExpectTyped(alloy_code code, const alloy_error& error) {
    ExpectTyped(code);
    if (code == ALLOY_OK) return;
    EXPECT_EQ(error.code, code);
    EXPECT_STRNE(alloy_reason_name(error.reason), "UNKNOWN") << error.reason;
  }
  // Control characters would move the cursor of a terminal.
  static bool IsHarmless(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return static_cast<unsigned char>(c) >= ' ' || c == '\n'; });
  }

  // A liar may choose the values, but each of them is there.
  static void Read(const alloy::Batch& batch) {
    const auto x = batch.column<int64_t>("x");
    int64_t sum = 0;
    for (int64_t row = 0; x.ok() && row < batch.rows(); ++row) {
      sum ^= x->Get(row).value_or(0);
    }
    sum_ = sum;
  }
  static void ExpectRight(const alloy::Batch& batch, int64_t factor) {
    const auto x = batch.column<int64_t>("x");
    ASSERT_TRUE(x.ok()) << x.status();
    ASSERT_EQ(batch.rows(), 1000);
    EXPECT_EQ(x->Get(0), 7 * factor);
    for (int64_t row = 1; row < 1000; ++row) ASSERT_EQ(x->Get(row), row * factor);
  }

  std::filesystem::path folder_;
  // The deadlines of a call and of a batch of a stream.
  std::chrono::nanoseconds call_timeout_ = 50ms;
  int64_t batch_ns_ = 50'000'000;
  Held before_;
  const alloy::Host names_ = support::TestHost();
  static inline volatile int64_t sum_ = 0;
};

TEST_F(IsolatedLiar, EachLieAtEachStep) {
  const char* const text = std::getenv("ALLOY_LIES");  // NOLINT(concurrency-mt-unsafe)
  const uint32_t lies = text != nullptr ? static_cast<uint32_t>(std::atoi(text))
                                        : lies::kLies * lies::kSteps;
  const uint32_t stride = text != nullptr ? 1 : kStride;
  uint32_t told = 0, found = 0;
  for (uint32_t seed = 0; seed < lies; seed += stride, ++told) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto begin = std::chrono::steady_clock::now();
    if (!Meet(seed).empty()) ++found;
    // The load, two binds and the open may each take the whole time, and twice, because
    // the next worker lies too.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 8 * kSetupMs * 1ms + 1min)
        << "the host hangs";
    if (HasFailure()) break;
  }
  std::printf("%u lies, %u of them with an error\n", told, found);
  EXPECT_GT(found, told / 3);
}

// What a host reads of a worker that broke the rules: the rule, the place, and what is next.
TEST_F(IsolatedLiar, TheErrorNamesTheRuleThatWasBroken) {
  struct Case {
    Lie lie;
    uint32_t step;
    const char* words;
    int32_t reason = ALLOY_REASON_WORKER_VIOLATION;
  };
  constexpr int32_t kHang = ALLOY_REASON_WORKER_HANG, kExit = ALLOY_REASON_WORKER_EXIT;
  constexpr uint32_t kLoad = 0, kBind = 1, kRun = 2, kNext = 8;
  // Each of these ends by itself. A deadline would win where a worker takes long to die:
  // ThreadSanitizer sleeps for a second in each process that exits.
  call_timeout_ = {};
  batch_ns_ = 0;
  for (const auto& [lie, step, words, reason] :
       {Case{Lie::kWord, kRun, "broke the rules: an unknown request in double, batch 1"},
        Case{Lie::kWord, kBind, "broke the rules: an unknown request in double"},
        Case{Lie::kWord, kLoad, "broke the rules: an unknown request while it loaded"},
        // What is missing must not read as an empty result, or as the end of a stream.
        Case{Lie::kHalf, kBind, "broke the rules: a schema: "},
        Case{Lie::kHalf, kRun, "broke the rules: an answer that is cut in double"},
        Case{Lie::kHalf, kNext, "broke the rules: an answer that is cut in pass"},
        Case{Lie::kExchange, kRun, "broke the rules: the head of a message in double"},
        Case{Lie::kCloses, kRun, "broke the rules: it closed its mailbox in double"},
        Case{Lie::kSilence, kLoad, "did not answer within ", kHang},
        Case{Lie::kSilence, kBind, "did not answer within ", kHang},
        Case{Lie::kNudges, kBind, "did not answer within ", kHang},
        Case{Lie::kNeedsForEver, kBind, "did not answer within ", kHang},
        Case{Lie::kExit, kRun, "ended itself with exit status 0 in double", kExit},
        Case{Lie::kAbort, kRun, "died by SIGABRT in double", ALLOY_REASON_WORKER_SIGNAL},
        Case{Lie::kVersion, kLoad, "the host is of another version; install the worker",
             kExit}}) {
    const auto errors = Meet(lies::SeedOf(lie, step));
    ASSERT_FALSE(errors.empty()) << words;
    EXPECT_EQ(errors[0].code(), ALLOY_LOST) << errors[0];
    EXPECT_EQ(errors[0].side(), ALLOY_SIDE_WORKER) << errors[0];
    EXPECT_EQ(errors[0].reason(), reason) << errors[0];
    EXPECT_TRUE(isolated::Contains(errors[0], words))
        << errors[0] << "\n  not: " << words;
    EXPECT_TRUE(isolated::Contains(errors[0], "; the next call starts a new worker"))
        << errors[0];
  }
}

// The load of a new worker is a part of the call that needs it, and ends with it.
TEST_F(IsolatedLiar, ADeadlineOrACancelEndsTheLoadOfANewWorker) {
  const Bridge bridge = Load(lies::SeedOf(Lie::kSilence, 0), "later.", 600'000);
  ASSERT_NE(bridge.bridge, nullptr) << bridge.error.text;
  const alloy::Batch input = isolated::Input(7, 1000);
  auto call = alloy::BoundCall::Bind(names_, bridge.bridge.get(), "double",
                                     std::span(&input.schema(), 1), {});
  ASSERT_TRUE(call.ok()) << call.status();
  alloy_error error{};
  alloy_call* raw_call = nullptr;
  ASSERT_EQ(alloy_call_bind(bridge.bridge.get(), "pass", &input.schema(), 1, nullptr,
                            &raw_call, &error),
            ALLOY_OK)
      << error.text;
  const support::CallHandle pass(raw_call);
  ASSERT_TRUE(call->Run(isolated::Input(7, 1000)).ok());
  for (const pid_t worker : isolated::Children()) ::kill(worker, SIGKILL);
  const auto begin = std::chrono::steady_clock::now();
  // Most likely that worker dies in the first call.
  (void)call->Run(isolated::Input(7, 1000), {.timeout = 50ms});
  const auto late = call->Run(isolated::Input(7, 1000), {.timeout = 50ms}).status();
  EXPECT_EQ(late.code(), ALLOY_TIMEOUT) << late;
  EXPECT_EQ(late.reason(), ALLOY_REASON_WORKER_HANG) << late;
  EXPECT_TRUE(isolated::Contains(late, "while it loaded the library")) << late;
  std::stop_source source;
  const std::jthread canceller([&] {
    std::this_thread::sleep_for(50ms);
    source.request_stop();
  });
  const auto stopped =
      call->Run(isolated::Input(7, 1000), {.stop = source.get_token()}).status();
  EXPECT_EQ(stopped.code(), ALLOY_CANCELLED) << stopped;
  for (int turn = 0; turn < 2; ++turn) {
    std::vector<alloy::Batch> batches;
    batches.push_back(isolated::Input(7, 1000));
    alloy::Stream stream = alloy::Stream::Of(std::move(batches));
    ArrowArrayStream raw = *stream.get(), opened{};
    stream.get()->release = nullptr;
    EXPECT_EQ(alloy_call_stream(pass.get(), &raw, 1, &opened, 50'000'000, 0, &error),
              ALLOY_TIMEOUT)
        << error.text;
    EXPECT_EQ(raw.release, nullptr);
    EXPECT_EQ(error.reason, ALLOY_REASON_WORKER_HANG) << error.text;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1min) << "not the 10 of setup_ms";
}

// Without a deadline of the caller, what sets up still ends: load, bind and open.
TEST_F(IsolatedLiar, SilenceAtAnyStepOfTheSetupEndsInTime) {
  constexpr uint32_t kOpen = 6;
  batch_ns_ = 0;
  for (const uint32_t step : {0U, 1U, 5U, kOpen}) {
    for (const Lie lie :
         {Lie::kSilence, Lie::kNudges, Lie::kNeedsForEver, Lie::kPullsForEver}) {
      SCOPED_TRACE("step " + std::to_string(step));
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_FALSE(Meet(lies::SeedOf(lie, step)).empty());
      EXPECT_LT(std::chrono::steady_clock::now() - begin, 8 * kSetupMs * 1ms + 1min);
    }
  }
}

}  // namespace
