// SPDX-License-Identifier: MIT
#include "engine/open/bridge.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <random>
#include <thread>

#include "engine/call/call.h"

namespace alloy::core {
namespace {

namespace fs = std::filesystem;

std::string Sample(const std::string& name) {
  return std::string(ALLOY_ENGINE_SAMPLES) + name + ".so";
}

std::shared_ptr<Host> MakeHost(uint32_t flags = ALLOY_ALLOW_UNSIGNED) {
  alloy_host_options options{};
  options.struct_size = sizeof(options);
  options.flags = flags;
  return *Host::Make(options);
}

alloy_bridge_options BridgeOptions() {
  alloy_bridge_options options{};
  options.struct_size = sizeof(options);
  return options;
}

class BridgeTest : public ::testing::Test {
 protected:
  // The rows that the function `one` gives: how often its library was initialised.
  static Result<int64_t> RunOne(Bridge& bridge, const std::shared_ptr<Bridge>& shared) {
    ALLOY_ASSIGN_OR_RETURN(BoundFunction bound, bridge.Bind("one", nullptr, 0, nullptr));
    Call call(shared, std::move(bound));
    ArrowArray output;
    ALLOY_TRY(call.Run(nullptr, &output, 0, 0));
    const int64_t rows = output.length;
    output.release(&output);
    return rows;
  }
  Result<int64_t> RunOne() { return RunOne(*bridge_, bridge_); }

  void ExpectRefused(const std::string& library, int32_t reason,
                     const std::string& part) {
    const Status status = bridge_->Load(library, nullptr);
    EXPECT_EQ(status.code(), ALLOY_REFUSED) << library;
    EXPECT_EQ(status.reason(), reason) << status.fault().text;
    EXPECT_NE(status.fault().text.find(part), std::string::npos) << status.fault().text;
    EXPECT_NE(status.fault().text.find(library), std::string::npos)
        << status.fault().text;
  }

  std::shared_ptr<Host> host_ = MakeHost();
  std::shared_ptr<Bridge> bridge_ = *Bridge::Make(host_, BridgeOptions());
};

TEST_F(BridgeTest, ServesTheEchoUntilALibraryTakesItsPlace) {
  EXPECT_STREQ((*bridge_->Backend())->name, "alloy.echo");
  EXPECT_EQ(RunOne().status().code(), ALLOY_NOT_FOUND);
  ASSERT_TRUE(bridge_->Load(Sample("one"), nullptr).ok());
  EXPECT_STREQ((*bridge_->Backend())->name, "acme.one");
  EXPECT_EQ(*RunOne(), 1);
}

TEST_F(BridgeTest, AFailedLoadSticksToTheBridgeAndToItsCalls) {
  ASSERT_TRUE(bridge_->Load(Sample("one"), nullptr).ok());
  Call call(bridge_, *bridge_->Bind("one", nullptr, 0, nullptr));
  const Status failed = bridge_->Load("/no/such/library.so", nullptr);
  EXPECT_EQ(failed.reason(), ALLOY_REASON_CANNOT_OPEN);
  ArrowArray output;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(call.Run(nullptr, &output, 0, 0).fault().text, failed.fault().text);
    EXPECT_EQ(RunOne().status().fault().text, failed.fault().text);
    EXPECT_EQ(bridge_->Backend().status().fault().text, failed.fault().text);
  }
  ASSERT_TRUE(bridge_->Load(Sample("two"), nullptr).ok());
  EXPECT_STREQ((*bridge_->Backend())->name, "acme.two");
  // Bound before: it keeps its own backend.
  ASSERT_TRUE(call.Run(nullptr, &output, 0, 0).ok());
  output.release(&output);
}

TEST_F(BridgeTest, UnsignedLibrariesNeedTheHostsLeave) {
  host_ = MakeHost(0);
  bridge_ = *Bridge::Make(host_, BridgeOptions());
  ExpectRefused(Sample("one"), ALLOY_REASON_UNSIGNED, "ALLOY_ALLOW_UNSIGNED");
  EXPECT_EQ(RunOne().status().reason(), ALLOY_REASON_UNSIGNED);
  EXPECT_EQ(bridge_->Load(Sample("one"), "").reason(), ALLOY_REASON_UNSIGNED);
}

TEST_F(BridgeTest, ACertificateIsNeverIgnored) {
  const Status status = bridge_->Load(Sample("one"), "MIIB");
  EXPECT_EQ(status.reason(), ALLOY_REASON_CERTIFICATE_DER);
  EXPECT_EQ(RunOne().status().reason(), ALLOY_REASON_CERTIFICATE_DER);
}

TEST_F(BridgeTest, ALoadOfNothingSticksToo) {
  EXPECT_EQ(bridge_->Load("", nullptr).code(), ALLOY_INVALID);
  EXPECT_EQ(RunOne().status().code(), ALLOY_INVALID);
}

TEST_F(BridgeTest, SaysWhyALibraryIsRefused) {
  ExpectRefused(Sample("other_abi"), ALLOY_REASON_ABI, "ABI 7");
  ExpectRefused(Sample("bad_name"), ALLOY_REASON_TABLE, "name");
  ExpectRefused(Sample("fails"), ALLOY_REASON_INIT, "the licence has ended");
  ExpectRefused(Sample("silent"), ALLOY_REASON_INIT, "must return a table");
  ExpectRefused(Sample("throws"), ALLOY_REASON_INIT, "no database");
  ExpectRefused(Sample("undefined"), ALLOY_REASON_LOADER, "alloy_symbol_of_nobody");
  ExpectRefused("/dev/zero", ALLOY_REASON_NOT_A_FILE, "device");
}

TEST_F(BridgeTest, AWrongNameIsRefused) {
  alloy_bridge_options options = BridgeOptions();
  options.name = "acme.two";
  bridge_ = *Bridge::Make(host_, options);
  ExpectRefused(Sample("one"), ALLOY_REASON_NAME, "acme.two");
  EXPECT_TRUE(bridge_->Load(Sample("two"), nullptr).ok());
}

// What is mapped stays mapped, so the next try initialises the same code again.
TEST_F(BridgeTest, ABackendThatDidNotStartIsTriedAgainWithoutAnotherCopyOfIt) {
  ExpectRefused(Sample("fails_first"), ALLOY_REASON_INIT, "the licence server is away");
  ASSERT_TRUE(bridge_->Load(Sample("fails_first"), nullptr).ok());
  EXPECT_EQ(*RunOne(), 2);
  ASSERT_TRUE(bridge_->Load(Sample("fails_first"), nullptr).ok());
  EXPECT_EQ(*RunOne(), 2);
}

TEST_F(BridgeTest, TheSameBytesAreLoadedOnceUnderAnyName) {
  const fs::path copy = fs::path(::testing::TempDir()) /
                        ("alloy_one_" + std::to_string(std::random_device()()) + ".so");
  fs::copy_file(Sample("one"), copy);
  auto second = *Bridge::Make(host_, BridgeOptions());
  ASSERT_TRUE(bridge_->Load(Sample("one"), nullptr).ok());
  ASSERT_TRUE(second->Load(copy, nullptr).ok());
  EXPECT_EQ(*bridge_->Backend(), *second->Backend());
  EXPECT_EQ(*RunOne(), 1);
  // Replaced on disk, it is another library; what is loaded does not notice.
  fs::copy_file(Sample("two"), copy, fs::copy_options::overwrite_existing);
  ASSERT_TRUE(second->Load(copy, nullptr).ok());
  EXPECT_STREQ((*second->Backend())->name, "acme.two");
  EXPECT_EQ(*RunOne(), 1);
  fs::remove(copy);
}

TEST_F(BridgeTest, ManyThreadsLoadAndCallAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this, t] {
      auto bridge = *Bridge::Make(host_, BridgeOptions());
      for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(bridge->Load(Sample((t + i) % 2 == 0 ? "one" : "two"), nullptr).ok());
        EXPECT_EQ(*RunOne(*bridge, bridge), 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(BridgeTest, CallsGoOnWhileALibraryIsPutInPlace) {
  ASSERT_TRUE(bridge_->Load(Sample("one"), nullptr).ok());
  std::atomic<bool> stop = false;
  std::vector<std::thread> callers;
  for (int t = 0; t < 3; ++t) {
    callers.emplace_back([&] {
      while (!stop) EXPECT_EQ(*RunOne(), 1);
    });
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(bridge_->Load(Sample(i % 2 == 0 ? "two" : "one"), nullptr).ok());
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
}

TEST_F(BridgeTest, AClosedBridgeStaysClosed) {
  ASSERT_TRUE(bridge_->Load(Sample("one"), nullptr).ok());
  Call call(bridge_, *bridge_->Bind("one", nullptr, 0, nullptr));
  bridge_->Close();
  ArrowArray output;
  EXPECT_EQ(call.Run(nullptr, &output, 0, 0).code(), ALLOY_CLOSED);
  EXPECT_EQ(RunOne().status().code(), ALLOY_CLOSED);
  EXPECT_EQ(bridge_->Load(Sample("one"), nullptr).code(), ALLOY_CLOSED);
  EXPECT_EQ(bridge_->Backend().status().code(), ALLOY_CLOSED);
}

TEST_F(BridgeTest, WhatDoesNotExistYetIsUnsupportedAndNotLess) {
  const auto code_for = [&](auto&& set) {
    alloy_bridge_options options = BridgeOptions();
    set(options);
    return Bridge::Make(host_, options).status().code();
  };
  EXPECT_EQ(code_for([](auto& o) { o.isolated = 1; }), ALLOY_OK);
  EXPECT_EQ(code_for([](auto& o) { o.isolated = 1, o.grace_ns = -1; }), ALLOY_INVALID);
  EXPECT_EQ(code_for([](auto& o) { o.isolated = 1, o.max_workers = 65; }), ALLOY_INVALID);
  EXPECT_EQ(code_for([](auto& o) { o.isolated = 3; }), ALLOY_INVALID);
  EXPECT_EQ(code_for([](auto& o) { o.struct_size = 4; }), ALLOY_INVALID);
}

TEST_F(BridgeTest, LevelsAre0To3AndOfEachDirection) {
  const auto make = [&](uint32_t inputs, uint32_t results) {
    alloy_bridge_options options = BridgeOptions();
    options.check_inputs = inputs;
    options.check_results = results;
    return Bridge::Make(host_, options);
  };
  const auto levels = [&](uint32_t inputs, uint32_t results) {
    const auto bridge = make(inputs, results);
    return std::pair((*bridge)->check_inputs(0).level, (*bridge)->check_results());
  };
  EXPECT_EQ(levels(0, 0), std::pair(Level::kShape, Level::kSafe));
  EXPECT_EQ(levels(2, 1), std::pair(Level::kSafe, Level::kShape));
  EXPECT_EQ(levels(3, 2), std::pair(Level::kFull, Level::kSafe));
  EXPECT_EQ(make(4, 0).status().code(), ALLOY_INVALID);
  EXPECT_NE(make(0, 4).status().fault().text.find("check_results is 4"),
            std::string::npos);
}

TEST_F(BridgeTest, AFunctionThatTrustsValuesIsGivenLessOnlyByAnUnsafeName) {
  const auto checks = [&](uint32_t inputs, uint32_t flags) {
    alloy_bridge_options options = BridgeOptions();
    options.check_inputs = inputs;
    return (*Bridge::Make(host_, options))->check_inputs(flags);
  };
  const uint32_t plain = ALLOY_IDEMPOTENT | ALLOY_ROWWISE | ALLOY_STREAM;
  const uint32_t unknown = 1U << 31;
  for (const uint32_t asked :
       {ALLOY_CHECK_DEFAULT, ALLOY_CHECK_SHAPE, ALLOY_CHECK_SAFE, ALLOY_CHECK_FULL}) {
    EXPECT_TRUE(checks(asked, plain | ALLOY_TRUSTS_VALUES).trusted) << asked;
    EXPECT_TRUE(checks(asked, unknown).trusted) << asked;
    EXPECT_FALSE(checks(asked, plain).trusted) << asked;
  }
  EXPECT_EQ(checks(ALLOY_CHECK_FULL, ALLOY_TRUSTS_VALUES), Checks(Level::kFull, true));
  EXPECT_EQ(checks(ALLOY_CHECK_UNSAFE_SHAPE, ALLOY_TRUSTS_VALUES), Checks(Level::kShape));
  EXPECT_EQ(checks(ALLOY_CHECK_UNSAFE_SHAPE, unknown), Checks(Level::kShape));

  alloy_bridge_options options = BridgeOptions();
  options.check_results = ALLOY_CHECK_UNSAFE_SHAPE;
  EXPECT_EQ(Bridge::Make(host_, options).status().code(), ALLOY_INVALID);
}

TEST_F(BridgeTest, AFieldOfANewerProgramIsNeverIgnored) {
  struct Newer {
    alloy_host_options known;
    uint64_t unknown;
  } newer{};
  newer.known.struct_size = sizeof(newer);
  EXPECT_TRUE(Host::Make(newer.known).ok());
  newer.unknown = 1;
  EXPECT_EQ(Host::Make(newer.known).status().code(), ALLOY_UNSUPPORTED);
}

// Behind the struct of an older program is memory of that program, in the isolated mode too.
TEST_F(BridgeTest, NothingIsReadBehindTheOptionsOfAnOlderProgram) {
  for (const uint32_t isolated : {0U, 1U, 2U}) {
    alloy_bridge_options options{};
    std::memset(&options, 0xff, sizeof(options));
    constexpr size_t kOlder = offsetof(alloy_bridge_options, sidecar);
    std::memset(&options, 0, kOlder);
    options.struct_size = kOlder;
    options.isolated = isolated;
    EXPECT_TRUE(Bridge::Make(host_, options).ok()) << isolated;
  }
}

TEST_F(BridgeTest, AHostSaysWhichOfItsOptionsIsWrong) {
  const auto code_for = [&](auto&& set) {
    alloy_host_options options{};
    options.struct_size = sizeof(options);
    set(options);
    return Host::Make(options).status().code();
  };
  const char* const needed[] = {"libarrow.so.2600", nullptr};
  const char* const relative[] = {"build/libarrow.so", nullptr};
  EXPECT_EQ(code_for([&](auto& o) { o.may_need = needed; }), ALLOY_OK);
  EXPECT_EQ(code_for([&](auto& o) { o.may_need = relative; }), ALLOY_INVALID);
  EXPECT_EQ(code_for([](auto& o) { o.worker = "/bin/true"; }), ALLOY_OK);
  EXPECT_EQ(code_for([](auto& o) { o.worker = "bin/true"; }), ALLOY_INVALID);
  EXPECT_EQ(code_for([](auto& o) { o.flags = 4; }), ALLOY_INVALID);
  EXPECT_EQ(code_for([](auto& o) { o.log_mode = 3; }), ALLOY_INVALID);
  EXPECT_EQ(code_for([](auto& o) { o.log_fd = -1; }), ALLOY_INVALID);
  EXPECT_EQ(code_for([](auto& o) { o.struct_size = 8; }), ALLOY_INVALID);
  EXPECT_EQ(code_for([](auto& o) { o.struct_size = ~0U; }), ALLOY_INVALID);
  EXPECT_EQ(code_for([](auto&) {}), ALLOY_OK);
}

}  // namespace
}  // namespace alloy::core
