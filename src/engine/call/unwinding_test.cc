// SPDX-License-Identifier: MIT
//
// Callbacks that throw, and threads that are ended inside a backend.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>

#include "base/guard.h"
#include "engine/stream/test_stream.h"

namespace alloy::core {
namespace {

class UnwindingTest : public StreamTest {
 protected:
  UnwindingTest() {
    alloy_host_options options{};
    options.struct_size = sizeof(options);
    options.log = [](void* context, int32_t level, const char*, const char* text,
                     int64_t) {
      auto* self = static_cast<UnwindingTest*>(context);
      const std::lock_guard lock(self->mutex_);
      if (level == ALLOY_LOG_WARN) self->warnings_ += std::string(text) + "\n";
    };
    options.log_context = this;
    host_ = *Host::Make(options);
    alloy_bridge_options bridge_options{};
    bridge_options.struct_size = sizeof(bridge_options);
    bridge_ = *Bridge::Make(host_, bridge_options);
  }
  ~UnwindingTest() override {
    // Before what they log to.
    batch_.Release();
    stream_.Release();
    kept_.clear();
    served_.reset();
  }

  // Run `body` on a thread of C, which it may end. Returns whether it was cancelled.
  static bool OnThread(const std::function<void()>& body,
                       const std::function<void(pthread_t)>& meanwhile = {}) {
    pthread_t thread;
    EXPECT_EQ(::pthread_create(
                  &thread, nullptr,
                  [](void* argument) -> void* {
                    (*static_cast<const std::function<void()>*>(argument))();
                    return nullptr;
                  },
                  const_cast<std::function<void()>*>(&body)),
              0);
    if (meanwhile) meanwhile(thread);
    void* result = nullptr;
    EXPECT_EQ(::pthread_join(thread, &result), 0);
    return result == PTHREAD_CANCELED;
  }

  void ExpectWarning(const char* text) {
    EXPECT_NE(warnings_.find(text), std::string::npos) << warnings_;
    EXPECT_NE(warnings_.find("f of test.lambdas"), std::string::npos) << warnings_;
  }

  std::mutex mutex_;
  std::string warnings_;
};

// AddressSanitizer does not follow a forced unwind: it takes the frames that are gone for
// poisoned memory.
#ifndef __SANITIZE_ADDRESS__
// The thread ends; the inputs are released, and the call serves the next thread.
TEST_F(UnwindingTest, AThreadThatEndsInsideARunLeavesTheCallToOthers) {
  std::atomic<bool> inside = false;
  const std::function<void()> ends[] = {[] { ::pthread_exit(nullptr); },
                                        [&] {
                                          inside = true;
                                          for (;;) ::pause();
                                        }};
  auto call = Make({{"a"}});
  for (const auto& end : ends) {
    const bool is_cancelled = &end != &ends[0];
    lambdas_.run = [&](alloy_scope*, ArrowArray*, int32_t, ArrowArray*) {
      end();
      return ALLOY_FAILED;
    };
    Releases in;
    bool returned = false;
    const bool cancelled = OnThread(
        [&] {
          ArrowArray input = Int64Batch({{1}}, &in), output;
          Guard(nullptr, [&] { return call->Run(&input, &output, 0, 0); });
          returned = true;
        },
        [&](pthread_t thread) {
          if (!is_cancelled) return;
          while (!inside) ::usleep(1000);
          ::pthread_cancel(thread);
        });
    EXPECT_EQ(cancelled, is_cancelled);
    EXPECT_FALSE(returned);
    EXPECT_EQ(in.count, 1);
    ExpectWarning("the thread was ended inside run");
    lambdas_.run = [](alloy_scope*, ArrowArray*, int32_t, ArrowArray* output) {
      *output = Int64Batch({{1}}, nullptr);
      return ALLOY_OK;
    };
    ArrowArray input = Int64Batch({{1}}, &in), output;
    const Status status = call->Run(&input, &output, 0, 0);
    ASSERT_TRUE(status.ok()) << status.fault().text;
    output.release(&output);
  }
}

TEST_F(UnwindingTest, AThreadThatEndsInsideGetNextOfAStreamLeavesItReleasable) {
  Answer([](TestStream&, ArrowArray*) -> int { ::pthread_exit(nullptr); });
  TestStream input = StreamOfValues({"a"}, {1}, nullptr);
  ASSERT_TRUE(Open(MakeCall({{"a"}}), {&input}).ok());
  bool returned = false;
  OnThread([&] {
    ArrowArray out;
    stream_->get_next(stream_.get(), &out);
    returned = true;
  });
  EXPECT_FALSE(returned);
  kept_.clear();
  stream_.Release();
  EXPECT_EQ(answer_.releases, 1);
  EXPECT_EQ(input.releases, 1);
}

#endif  // __SANITIZE_ADDRESS__

// A batch whose release throws after it has done its work.
ArrowArray ThrowingBatch(Releases* releases) {
  static void (*real)(ArrowArray*) = nullptr;
  ArrowArray batch = Int64Batch({{1}}, releases);
  real = batch.release;
  batch.release = [](ArrowArray* array) {
    real(array);
    throw std::runtime_error("cannot let go");
  };
  return batch;
}

TEST_F(UnwindingTest, AReleaseOfAResultThatThrowsIsNamed) {
  Releases out;
  lambdas_.run = [&](alloy_scope* scope, ArrowArray*, int32_t, ArrowArray* output) {
    *output = ThrowingBatch(&out);
    return scope->services->fail(scope, ALLOY_RETRY, "not today", -1);
  };
  auto call = Make({{"a"}});
  Releases in;
  ArrowArray input = Int64Batch({{1}}, &in), output;
  const Status status = call->Run(&input, &output, 0, 0);
  EXPECT_EQ(status.code(), ALLOY_RETRY);
  EXPECT_EQ(status.fault().text, "not today");
  EXPECT_EQ(out.count, 1);
  EXPECT_EQ(in.count, 1);
  ExpectWarning("the release of its result: an exception came out of it: cannot let go");
}

TEST_F(UnwindingTest, AReleaseOfAnInputThatThrowsIsTheHostsAndTheCallSucceeds) {
  lambdas_.run = [](alloy_scope*, ArrowArray*, int32_t, ArrowArray* output) {
    *output = Int64Batch({{1}}, nullptr);
    return ALLOY_OK;
  };
  auto call = Make({{"a"}, {"a"}});
  Releases in;
  ArrowArray inputs[] = {ThrowingBatch(&in), Int64Batch({{1}}, &in)}, output;
  const Status status = call->Run(inputs, &output, 0, 0);
  ASSERT_TRUE(status.ok()) << status.fault().text;
  output.release(&output);
  EXPECT_EQ(in.count, 2);
  ExpectWarning("the release of an input, which is the host's");
}

TEST_F(UnwindingTest, AReleaseOfASchemaThatThrowsIsNamed) {
  lambdas_.bind = [](alloy_scope*, const ArrowSchema*, int32_t, const char* const*,
                     ArrowSchema* output) {
    *output = {.format = "+s",
               .name = "",
               .metadata = nullptr,
               .flags = 0,
               .n_children = 0,
               .children = nullptr,
               .dictionary = nullptr,
               .release = [](ArrowSchema*) { throw std::runtime_error("stuck"); },
               .private_data = nullptr};
    return ALLOY_NO_MATCH;
  };
  EXPECT_EQ(Select({{"a"}}).status().code(), ALLOY_NO_MATCH);
  ExpectWarning("the release of the schema");
}

TEST_F(UnwindingTest, AnUnbindThatThrowsIsNamed) {
  lambdas_.unbind = [] { throw std::runtime_error("stuck"); };
  Make({{"a"}}).reset();
  served_.reset();
  EXPECT_EQ(lambdas_.unbinds, 1);
  ExpectWarning("unbind of f of test.lambdas: an exception came out of it: stuck");
}

TEST_F(UnwindingTest, AReleaseOfAStreamThatThrowsIsNamed) {
  Answer([](TestStream&, ArrowArray* out) {
    *out = ArrowArray{};
    return 0;
  });
  answer_.gone = {};
  lambdas_.open = [](alloy_scope*, ArrowArrayStream*, int32_t, ArrowArrayStream* output) {
    *output = {.get_schema = nullptr,
               .get_next = [](ArrowArrayStream*, ArrowArray*) { return 0; },
               .get_last_error = nullptr,
               .release = [](ArrowArrayStream*) { throw std::runtime_error("stuck"); },
               .private_data = nullptr};
    return ALLOY_OK;
  };
  ASSERT_TRUE(Open(MakeCall({}), {}).ok());
  stream_.Release();
  ExpectWarning("the release of its stream: an exception came out of it: stuck");
}

TEST(GuardTest, NoThreadLeftIsExhausted) {
  alloy_error error{};
  EXPECT_EQ(Guard(&error,
                  []() -> Status {
                    throw std::system_error(
                        std::make_error_code(std::errc::resource_unavailable_try_again));
                  }),
            ALLOY_EXHAUSTED);
  EXPECT_NE(std::string(error.text).find("a thread cannot be started"),
            std::string::npos);
  EXPECT_EQ(
      Guard(&error,
            []() -> Status {
              throw std::system_error(std::make_error_code(std::errc::permission_denied));
            }),
      ALLOY_INTERNAL);
}

TEST(OwnedEndTest, AReleaseThatThrowsInADestructorEndsThere) {
  int calls = 0;
  {
    ArrowArray array{};
    array.private_data = &calls;
    array.release = [](ArrowArray* released) {
      ++*static_cast<int*>(released->private_data);
      throw std::runtime_error("stuck");
    };
    OwnedArray owned(&array);
  }
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace alloy::core
