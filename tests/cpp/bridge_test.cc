// SPDX-License-Identifier: MIT
//
// Host, Bridge and BoundCall of alloy.hpp.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/support/signed_copy.h"
#include "tests/support/support.h"

namespace {

using std::chrono::milliseconds;

TEST(HostTest, InfoIsALineOfTheHost) {
  const auto lines = std::make_shared<support::LogLines>();
  support::TestHost(lines).Info("Rust counted 3 arrays");
  EXPECT_EQ(lines->Take(), std::vector<std::string>{"[C++] Rust counted 3 arrays"});
}

TEST(HostTest, InfoOfTheProgramGoesToStandardOutput) {
  testing::internal::CaptureStdout();
  alloy::Info("hello");
  const std::string line = testing::internal::GetCapturedStdout();
  const std::regex form(
      R"(\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] \[INFO\] \[C\+\+\]\thello\n)");
  EXPECT_TRUE(std::regex_match(line, form)) << line;
}

TEST(HostTest, LinesGoWhereTheOptionsSay) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  alloy::Host(alloy::HostOptions{.language = "Test", .log_fd = fileno(file)})
      .Info("a line");
  ASSERT_EQ(std::fseek(file, 0, SEEK_SET), 0);
  char line[256] = {};
  EXPECT_NE(std::fgets(line, sizeof(line), file), nullptr);
  std::fclose(file);
  EXPECT_NE(std::string(line).find("[INFO] [Test]\ta line\n"), std::string::npos) << line;
}

TEST(HostTest, ALineNamesTheBackendAndTheFunction) {
  std::vector<std::string> lines;
  alloy::HostOptions options{.allow_unsigned = true, .log_mode = alloy::LogMode::kAlways};
  options.log_line = [&](const alloy::LogLine& line) {
    lines.push_back(std::to_string(line.level) + " " + std::string(line.language) + " " +
                    std::string(line.backend) + " " + std::string(line.function) + " " +
                    std::string(line.text));
  };
  alloy::Bridge bridge = support::NewBridge(alloy::Host(options));
  ASSERT_TRUE(bridge.SetImplLib(support::BackendPath("tests/logs")).ok());
  ASSERT_TRUE(bridge.Call("say", support::SmallBatch()).ok());
  // The host's own lines about a run are DEBUG, because this is not an echo.
  const std::string of = "test.logs say ";
  EXPECT_EQ(
      lines,
      (std::vector<std::string>{
          "1 C " + of + "bound",
          "0 C++ " + of + "Exporting ArrowSchema and ArrowArray #1 to C",
          "0 C++ " + of + "Calling C through C ffi now with 1 ArrowArrays",
          "0 C " + of + "details", "1 C " + of + "runs", "2 C " + of + "on a thread",
          "0 C++ " + of + "Hello, again! Successfully sent Arrow data to C."}));
}

TEST(HostTest, OneThatCannotBeMadeFailsEveryBridge) {
  const alloy::Host host(alloy::HostOptions{.log_mode = static_cast<alloy::LogMode>(17)});
  EXPECT_EQ(host.status().code(), ALLOY_INVALID);
  alloy::Bridge bridge = support::NewBridge(host);
  EXPECT_EQ(bridge.Call("echo", support::SmallBatch()).status().code(), ALLOY_INVALID);
  EXPECT_EQ(bridge.SetImplLib("x").code(), ALLOY_INVALID);
  EXPECT_EQ(bridge.Functions().status().code(), ALLOY_INVALID);
  EXPECT_EQ(bridge.Backend().status().code(), ALLOY_INVALID);
}

TEST(BridgeTest, IsTheEchoWhenNothingIsSet) {
  alloy::Bridge bridge = support::NewBridge();
  std::vector<alloy::Array> arrays;
  arrays.push_back(alloy::MakeArray<int32_t>({1, 2, 3, -4}));
  arrays.push_back(alloy::MakeArray<bool>({true}));
  const auto count = bridge.FromChunks(arrays);
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(*count, 2);
  EXPECT_EQ(arrays[0].size(), 4) << "the arrays are still the host's";
  EXPECT_EQ(*bridge.FromChunks(arrays), 2);
}

TEST(BridgeTest, NamesItsFunctionsAndItsBackend) {
  alloy::Bridge bridge = support::Load("tpch_cpp");
  const auto functions = bridge.Functions();
  ASSERT_TRUE(functions.ok()) << functions.status();
  ASSERT_EQ(functions->size(), 2U);
  EXPECT_EQ((*functions)[0].name, "q1");
  EXPECT_EQ((*functions)[1].name, "q6");
  EXPECT_FALSE((*functions)[0].summary.empty());
  const auto backend = bridge.Backend();
  ASSERT_TRUE(backend.ok());
  EXPECT_EQ(backend->name, "alloy.tpch");
  EXPECT_EQ(backend->language, "C++");
}

TEST(BridgeTest, AnUnsignedLibraryNeedsAHostThatAllowsIt) {
  alloy::Bridge bridge = support::NewBridge(alloy::Host());
  const auto status = bridge.SetImplLib(support::BackendPath("echo_cpp"));
  EXPECT_EQ(status.code(), ALLOY_REFUSED);
  EXPECT_EQ(status.reason(), ALLOY_REASON_UNSIGNED);
}

TEST(BridgeTest, ACertificateIsNeverIgnored) {
  alloy::Bridge bridge = support::NewBridge();
  EXPECT_EQ(bridge.SetImplLib(support::BackendPath("echo_cpp"), "MIIB").reason(),
            ALLOY_REASON_CERTIFICATE_DER);
}

TEST(BridgeTest, LoadsALibraryThatTheOwnerOfTheCertificateSigned) {
  const support::SignedCopy signed_copy(support::BackendPath("echo_cpp"), "alloy.echo",
                                        "0.1.0");
  // It allows nothing unsigned.
  alloy::Bridge bridge = support::NewBridge(alloy::Host());
  const auto status = bridge.SetImplLib(signed_copy.path(), signed_copy.certificate());
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(bridge.Backend()->name, "alloy.echo");
}

TEST(BridgeTest, DescribesWhereItsBackendComesFrom) {
  const support::SignedCopy signed_copy(support::BackendPath("echo_cpp"), "alloy.echo",
                                        "0.1.0");
  alloy::Bridge bridge = support::NewBridge();
  const auto echo = bridge.Backend();
  ASSERT_TRUE(echo.ok()) << echo.status();
  EXPECT_EQ(echo->library + echo->sha256 + echo->signer, "");
  std::string digest;
  for (const std::string& certificate : {signed_copy.certificate(), std::string()}) {
    ASSERT_TRUE(bridge.SetImplLib(signed_copy.path(), certificate).ok());
    const auto backend = bridge.Backend();
    ASSERT_TRUE(backend.ok()) << backend.status();
    EXPECT_EQ(backend->library, signed_copy.path());
    EXPECT_EQ(backend->sha256.size(), 64U);
    if (digest.empty()) digest = backend->sha256;
    EXPECT_EQ(backend->sha256, digest);
    EXPECT_EQ(backend->signer.empty(), certificate.empty());
    EXPECT_EQ(backend->signer_sha256.size(), certificate.empty() ? 0U : 64U);
    EXPECT_EQ(backend->sequence != 0, !certificate.empty());
  }
  EXPECT_FALSE(bridge.SetImplLib("/nowhere.so").ok());
  EXPECT_EQ(bridge.Backend().status().code(), ALLOY_REFUSED);
}

TEST(BridgeTest, NameSequenceAndSidecarAreOptions) {
  const support::SignedCopy signed_copy(support::BackendPath("echo_cpp"), "alloy.echo",
                                        "0.1.0");
  const auto load = [&](const alloy::BridgeOptions& options) {
    alloy::Bridge bridge = support::NewBridge(alloy::Host(), options);
    return bridge.SetImplLib(signed_copy.path(), signed_copy.certificate()).reason();
  };
  EXPECT_EQ(load({}), ALLOY_REASON_NONE);
  EXPECT_EQ(load({.name = "alloy.echo"}), ALLOY_REASON_NONE);
  EXPECT_EQ(load({.name = "acme.other"}), ALLOY_REASON_NAME);
  EXPECT_EQ(load({.min_sequence = 1}), ALLOY_REASON_NONE);
  EXPECT_EQ(load({.min_sequence = uint64_t{1} << 62}), ALLOY_REASON_ROLLBACK);
  EXPECT_EQ(load({.sidecar = signed_copy.path() + ".alloysig"}), ALLOY_REASON_NONE);
  EXPECT_EQ(load({.sidecar = "/nowhere.alloysig"}), ALLOY_REASON_NO_SIDECAR);
  EXPECT_EQ(load({.sha256 = std::string(64, '1')}), ALLOY_REASON_DIGEST);
  alloy::Bridge bridge = support::NewBridge(alloy::Host());
  ASSERT_TRUE(bridge.SetImplLib(signed_copy.path(), signed_copy.certificate()).ok());
  const auto identity = bridge.Identity();
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->rfind(R"({"name":"alloy.echo","version":"0.1.0")", 0), 0U);
  EXPECT_EQ(load({.sha256 = bridge.Backend()->sha256}), ALLOY_REASON_NONE);
}

TEST(BridgeTest, AnInspectionTellsHowLongItsTextIs) {
  const support::SignedCopy signed_copy(support::BackendPath("echo_cpp"), "alloy.echo",
                                        "0.1.0");
  const alloy::Host host;
  const std::string certificate = signed_copy.certificate();
  const auto inspect = [&](char* json, int64_t capacity, int64_t* length) {
    return alloy_inspect(host.get(), signed_copy.path().c_str(), certificate.c_str(),
                         json, capacity, length, nullptr);
  };
  int64_t length = 0, again = 0;
  ASSERT_EQ(inspect(nullptr, 0, &length), ALLOY_OK);
  std::string json(static_cast<size_t>(length) + 1, 'x');
  ASSERT_EQ(inspect(json.data(), length + 1, &again), ALLOY_OK);
  EXPECT_EQ(again, length);
  EXPECT_EQ(json.back(), '\0');
  EXPECT_NE(json.find(R"("trusted":true)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("verdict":{"ok":true)"), std::string::npos) << json;
  char cut[8];
  ASSERT_EQ(inspect(cut, sizeof(cut), &length), ALLOY_OK);
  EXPECT_STREQ(cut, "{\"libra");

  alloy_error error;
  EXPECT_EQ(
      alloy_inspect(host.get(), "/nonexistent.so", nullptr, nullptr, 0, &length, &error),
      ALLOY_REFUSED);
  EXPECT_EQ(error.reason, ALLOY_REASON_CANNOT_OPEN);
  EXPECT_EQ(length, 0);
  EXPECT_EQ(alloy_inspect(nullptr, "x", nullptr, nullptr, 0, &length, nullptr),
            ALLOY_INVALID);
  EXPECT_EQ(inspect(nullptr, 1, &length), ALLOY_INVALID);
  EXPECT_EQ(inspect(cut, -1, &length), ALLOY_INVALID);
}

TEST(BridgeTest, AFailedLoadSticksUntilOneSucceeds) {
  alloy::Bridge bridge = support::NewBridge();
  const auto batch = support::SmallBatch();
  EXPECT_TRUE(bridge.Call("echo", batch).ok());
  const auto status = bridge.SetImplLib("/nonexistent/library.so");
  EXPECT_EQ(status.reason(), ALLOY_REASON_CANNOT_OPEN) << status;
  for (int i = 0; i < 2; ++i) {
    const auto again = bridge.Call("echo", batch).status();
    EXPECT_EQ(again.reason(), ALLOY_REASON_CANNOT_OPEN);
    EXPECT_EQ(again.text(), status.text());
  }
  EXPECT_EQ(bridge.Functions().status().reason(), ALLOY_REASON_CANNOT_OPEN);
  EXPECT_TRUE(bridge.SetImplLib(support::BackendPath("echo_cpp")).ok());
  EXPECT_TRUE(bridge.Call("echo", batch).ok());
}

TEST(BridgeTest, ANewLibraryServesTheCallsThatWereCached) {
  alloy::Bridge bridge = support::Load("tests/identity");
  const auto batch = support::SmallBatch();
  EXPECT_TRUE(bridge.Call("identity", batch).ok());
  EXPECT_TRUE(bridge.SetImplLib(support::BackendPath("echo_cpp")).ok());
  EXPECT_EQ(bridge.Call("identity", batch).status().code(), ALLOY_NOT_FOUND);
  EXPECT_TRUE(bridge.Call("echo", batch).ok());
}

TEST(BridgeTest, ClosedIsClosed) {
  alloy::Bridge bridge = support::Load("tests/identity");
  const auto batch = support::SmallBatch();
  auto result = bridge.Call("identity", batch);
  ASSERT_TRUE(result.ok());
  bridge.Close();
  EXPECT_EQ(bridge.Call("identity", batch).status().code(), ALLOY_CLOSED);
  EXPECT_EQ(bridge.Call("other", batch).status().code(), ALLOY_CLOSED);
  EXPECT_EQ(bridge.SetImplLib(support::BackendPath("echo_cpp")).code(), ALLOY_CLOSED);
  EXPECT_EQ(bridge.Functions().status().code(), ALLOY_CLOSED);
  EXPECT_EQ(result->rows(), 3) << "results stay valid";
}

TEST(BridgeTest, OptionsAreTheirOwnCall) {
  alloy::Bridge bridge = support::Load("tests/typed");
  const auto batch = support::SmallBatch();
  for (const char* value : {"a", "b", "a"}) {
    const auto result = bridge.Call("needs", batch, {{"must", value}});
    EXPECT_EQ(support::Only<std::string_view>(result, "value"), value);
  }
}

TEST(BridgeTest, ALibraryReplacedOnDiskGoesOnAsItWas) {
  namespace fs = std::filesystem;
  std::string folder = fs::temp_directory_path() / "alloy-replace-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const fs::path library = fs::path(folder) / "backend.so";
  fs::copy_file(support::BackendPath("tests/identity"), library);
  alloy::Bridge bridge = support::NewBridge();
  ASSERT_TRUE(bridge.SetImplLib(library.string()).ok());
  const auto batch = support::SmallBatch();
  EXPECT_TRUE(bridge.Call("identity", batch).ok());

  // Overwritten in place, truncated, and gone: nothing of it is mapped from the file.
  {
    std::ofstream(library, std::ios::binary | std::ios::in) << std::string(1 << 20, 'x');
  }
  EXPECT_TRUE(bridge.Call("identity", batch).ok());
  fs::resize_file(library, 0);
  EXPECT_TRUE(bridge.Call("identity", batch, {}).ok());
  EXPECT_EQ(bridge.Call("absent", batch).status().code(), ALLOY_NOT_FOUND);
  fs::remove(library);
  fs::copy_file(support::BackendPath("tests/unruly"), library);
  EXPECT_TRUE(bridge.Call("identity", batch).ok());
  ASSERT_TRUE(bridge.SetImplLib(library.string()).ok());
  EXPECT_TRUE(bridge.Call("empty", batch).ok());
  fs::remove_all(folder);
}

TEST(BoundCallTest, RunsOnBatchesOfItsTypeOnly) {
  alloy::Bridge bridge = support::Load("tests/identity");
  const auto batch = support::SmallBatch();
  auto call = bridge.Bind("identity", std::span(&batch.schema(), 1));
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_TRUE(call->Run(batch).ok());
  EXPECT_STREQ(call->output_schema().children[0]->name, "x");
  const auto other = *alloy::MakeBatch({{"x", alloy::MakeArray<int32_t>({1})}});
  EXPECT_EQ(call->Run(other).status().code(), ALLOY_INVALID);
  EXPECT_EQ(call->Run(std::span<const alloy::Batch>()).status().code(), ALLOY_INVALID);
  EXPECT_TRUE(call->Run(batch).ok());
}

TEST(BoundCallTest, ATimeoutEndsABackendThatListens) {
  alloy::Bridge bridge = support::Load("tests/unruly");
  const auto batch = support::SmallBatch();
  const auto status =
      bridge.Call("slow", batch, {}, {.timeout = milliseconds(20)}).status();
  EXPECT_EQ(status.code(), ALLOY_TIMEOUT) << status;
  const auto quick =
      bridge.Call("slow", batch, {{"steps", "1"}}, {.timeout = std::chrono::seconds(60)});
  EXPECT_TRUE(quick.ok()) << quick.status();
}

TEST(BoundCallTest, AStopTokenCancelsARunUnderWay) {
  alloy::Bridge bridge = support::Load("tests/unruly");
  const auto batch = support::SmallBatch();
  auto call = bridge.Bind("slow", std::span(&batch.schema(), 1));
  ASSERT_TRUE(call.ok()) << call.status();
  std::stop_source source;
  std::jthread canceller([&] {
    // As soon as the backend says that it has begun.
    while (call->Progress().first == 0) std::this_thread::yield();
    source.request_stop();
  });
  const auto status = call->Run(batch, {.stop = source.get_token()}).status();
  EXPECT_EQ(status.code(), ALLOY_CANCELLED) << status;
  canceller.join();
  EXPECT_EQ(call->Progress().second, 20000);
  // The cancel hits its own run alone.
  auto quick = bridge.Call("slow", batch, {{"steps", "1"}}, {.stop = std::stop_token()});
  EXPECT_TRUE(quick.ok()) << quick.status();
}

TEST(BoundCallTest, AStopThatCameFirstCancelsToo) {
  alloy::Bridge bridge = support::Load("tests/unruly");
  std::stop_source source;
  source.request_stop();
  const alloy::CallLimits stopped{.stop = source.get_token()};
  const auto batch = support::SmallBatch();
  EXPECT_EQ(bridge.Call("slow", batch, {}, stopped).status().code(), ALLOY_CANCELLED);
  EXPECT_EQ(bridge.Call("empty", batch, {}, stopped).status().code(), ALLOY_CANCELLED);
  EXPECT_TRUE(bridge.Call("empty", batch).ok());
}

TEST(BoundCallTest, AResultThatComesLateIsAResult) {
  alloy::Bridge bridge = support::Load("tests/unruly");
  const auto result = bridge.Call("slow_but_sure", support::SmallBatch(), {},
                                  {.timeout = milliseconds(300)});
  EXPECT_TRUE(support::Only<bool>(result, "cancelled"));
}

TEST(StatusTest, SaysWhatItIs) {
  EXPECT_EQ(alloy::Status().ToString(), "OK");
  EXPECT_EQ(alloy::Status::Invalid("no").ToString(), "INVALID: no");
  alloy_error error{};
  error.code = ALLOY_BAD_DATA;
  error.reason = ALLOY_REASON_OFFSETS;
  error.input = 1;
  error.column = 2;
  error.side = ALLOY_SIDE_CALLER;
  const alloy::Status status(error);
  EXPECT_EQ(status.ToString(), "BAD_DATA (OFFSETS): ");
  EXPECT_EQ(status.input(), 1);
  EXPECT_EQ(status.column(), 2);
  EXPECT_EQ(status.side(), ALLOY_SIDE_CALLER);
}

}  // namespace
