// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <thread>

#include "engine/call/call.h"
#include "engine/open/inspect_library.h"
#include "port/clock.h"
#include "tests/support/signed_copy.h"

namespace alloy::core {
namespace {

namespace fs = std::filesystem;
using signing::kDay;

// Bridges read the clock of the machine, so certificates here are valid around it.
signing::CertificateSpec ValidFor(int64_t days) {
  signing::CertificateSpec spec;
  spec.not_before = UnixSeconds() - kDay;
  spec.not_after = UnixSeconds() + days * kDay;
  return spec;
}

class SignedLoadTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("alloy_load_" + std::to_string(std::random_device()()));
    fs::create_directories(folder_);
    Put("one");
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Copy a sample, and sign it by its own table.
  void Put(const std::string& sample) {
    path_ = folder_ / (sample + ".so");
    fs::copy_file(std::string(ALLOY_ENGINE_SAMPLES) + sample + ".so", path_);
    statement_ = signing::StatementFor(signing::ReadFile(path_));
    statement_.name = "acme." + sample;
    statement_.version = "1.0.0";
    statement_.needed = support::NeededOf(signing::ReadFile(path_));
    Sign();
  }
  void Sign() const {
    signing::WriteFile(path_ + ".alloysig", signer_.Sidecar(statement_.Text()));
  }

  static void Keep(void* lines, int32_t level, const char*, const char* text,
                   int64_t length) {
    static_cast<std::vector<std::string>*>(lines)->push_back(
        std::to_string(level) + " " + std::string(text, static_cast<size_t>(length)));
  }
  std::shared_ptr<Host> MakeHost(uint32_t flags = 0,
                                 const char* const* may_need = nullptr) {
    alloy_host_options options{};
    options.struct_size = sizeof(options);
    options.flags = flags;
    options.log = &Keep;
    options.log_context = &lines_;
    options.may_need = may_need;
    return *Host::Make(options);
  }
  std::shared_ptr<Bridge> MakeBridge() const { return *Bridge::Make(host_, options_); }
  Status Load() const { return MakeBridge()->Load(path_, certificate_.c_str()); }
  void ExpectRefused(int32_t reason, std::string_view part) const {
    const Status status = Load();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.reason(), reason) << status.fault().text;
    EXPECT_NE(status.fault().text.find(part), std::string::npos) << status.fault().text;
  }
  // How often the library was initialised, as it says itself.
  static int64_t Initialised(const std::shared_ptr<Bridge>& bridge) {
    auto bound = bridge->Bind("one", nullptr, 0, nullptr);
    EXPECT_TRUE(bound.ok());
    Call call(bridge, *std::move(bound));
    ArrowArray output;
    EXPECT_TRUE(call.Run(nullptr, &output, 0, 0).ok());
    const int64_t rows = output.length;
    output.release(&output);
    return rows;
  }

  signing::Signer signer_{"ed25519", ValidFor(400)};
  std::string certificate_ = signer_.cert.Base64();
  fs::path folder_;
  std::string path_;
  signing::StatementSpec statement_;
  std::vector<std::string> lines_;
  alloy_bridge_options options_ = [] {
    alloy_bridge_options options{};
    options.struct_size = sizeof(options);
    return options;
  }();
  std::shared_ptr<Host> host_ = MakeHost();
};

TEST_F(SignedLoadTest, LoadsWhatItsSignerSigned) {
  auto bridge = MakeBridge();
  const Status status = bridge->Load(path_, certificate_.c_str());
  ASSERT_TRUE(status.ok()) << status.fault().text;
  EXPECT_STREQ((*bridge->Backend())->name, "acme.one");
  EXPECT_EQ(Initialised(bridge), 1);
  EXPECT_TRUE(lines_.empty());
}

TEST_F(SignedLoadTest, ChecksACertificateThatIsGivenWhateverTheHostAllows) {
  host_ = MakeHost(ALLOY_ALLOW_UNSIGNED);
  fs::remove(path_ + ".alloysig");
  ExpectRefused(ALLOY_REASON_NO_SIDECAR, "arrowalloy sign");
  EXPECT_TRUE(MakeBridge()->Load(path_, "").ok());
  ExpectRefused(ALLOY_REASON_NO_SIDECAR, "arrowalloy sign");
  certificate_ = "AAAA";
  ExpectRefused(ALLOY_REASON_CERTIFICATE_DER, "cert-base64");
}

TEST_F(SignedLoadTest, RefusesAnotherSigner) {
  const signing::Signer other("ed25519", ValidFor(400));
  certificate_ = other.cert.Base64();
  ExpectRefused(ALLOY_REASON_CERTIFICATE_UNTRUSTED, "one.so.alloysig");
}

TEST_F(SignedLoadTest, HoldsTheTableAgainstTheStatement) {
  statement_.version = "2.0.0";
  Sign();
  ExpectRefused(ALLOY_REASON_STATEMENT_TABLE, "version: \"2.0.0\" was signed");
  statement_.version = "1.0.0";
  statement_.name = "acme.two";
  Sign();
  ExpectRefused(ALLOY_REASON_STATEMENT_TABLE, "name");
  statement_.name = "acme.one";
  Sign();
  EXPECT_TRUE(Load().ok());
}

TEST_F(SignedLoadTest, TakesNameSequenceAndSidecarFromTheBridge) {
  options_.name = "acme.two";
  ExpectRefused(ALLOY_REASON_NAME, "acme.two");
  options_.name = "acme.one";
  options_.min_sequence = 5;
  ExpectRefused(ALLOY_REASON_ROLLBACK, "at least 5");
  statement_.sequence = "5";
  const std::string elsewhere = folder_ / "signature";
  signing::WriteFile(elsewhere, signer_.Sidecar(statement_.Text()));
  options_.sidecar = elsewhere.c_str();
  EXPECT_TRUE(Load().ok());
}

TEST_F(SignedLoadTest, LoadsOnlyTheBytesThatTheBridgeAsksFor) {
  const std::string digest = statement_.sha256, other(64, '1');
  for (const bool is_signed : {true, false}) {
    host_ = MakeHost(ALLOY_ALLOW_UNSIGNED);
    if (!is_signed) certificate_ = "";
    options_.sha256 = other.c_str();
    // Not yet loaded; then, for the signed one, found by its digest.
    ExpectRefused(ALLOY_REASON_DIGEST, "the bridge expects " + other);
    auto bridge = MakeBridge();
    EXPECT_EQ(bridge->Load(path_, certificate_.c_str()).reason(), ALLOY_REASON_DIGEST);
    EXPECT_EQ(bridge->Backend().status().reason(), ALLOY_REASON_DIGEST);
    std::string upper = digest;
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    for (const std::string& good : {digest, upper}) {
      options_.sha256 = good.c_str();
      EXPECT_TRUE(Load().ok());
    }
    options_.sha256 = other.c_str();
    ExpectRefused(ALLOY_REASON_DIGEST, digest);
  }
}

TEST_F(SignedLoadTest, ADigestHasSixtyFourHexadecimalDigits) {
  for (const char* bad : {"", "abc", "zz"}) {
    options_.sha256 = bad;
    EXPECT_EQ(Bridge::Make(host_, options_).status().code(), ALLOY_INVALID);
  }
  const std::string long_one(65, '1'), sign = "-" + std::string(63, '1');
  for (const std::string& bad : {long_one, sign}) {
    options_.sha256 = bad.c_str();
    EXPECT_EQ(Bridge::Make(host_, options_).status().code(), ALLOY_INVALID);
  }
  // A program that is older has no such field.
  options_.struct_size = offsetof(alloy_bridge_options, sha256);
  EXPECT_TRUE(Load().ok());
}

TEST_F(SignedLoadTest, DescribesTheBytesThatWereLoadedAndNotTheFile) {
  auto bridge = MakeBridge();
  EXPECT_NE(bridge->Identity()->find("\"library\":null,\"size\":0"), std::string::npos);
  ASSERT_TRUE(bridge->Load(path_, certificate_.c_str()).ok());
  const std::string identity = *bridge->Identity();
  const auto size = fs::file_size(path_);
  signing::WriteFile(path_, "another file");
  EXPECT_EQ(*bridge->Identity(), identity);
  for (const std::string& part :
       {std::string(R"("name":"acme.one","version":"1.0.0")"),
        "\"size\":" + std::to_string(size), "\"sha256\":\"" + statement_.sha256 + '"',
        "\"sequence\":" + statement_.sequence, std::string(R"("signer":{"subject":)"),
        std::string(R"("is_ca":)")}) {
    EXPECT_NE(identity.find(part), std::string::npos) << part << " in " << identity;
  }
  bridge->Close();
  EXPECT_EQ(bridge->Identity().status().code(), ALLOY_CLOSED);
}

TEST_F(SignedLoadTest, ASequenceThatIsAskedForNeedsACertificate) {
  host_ = MakeHost(ALLOY_ALLOW_UNSIGNED);
  options_.min_sequence = 1;
  certificate_ = "";
  ExpectRefused(ALLOY_REASON_UNSIGNED, "min_sequence");
}

TEST_F(SignedLoadTest, LoadsTheSameBytesOnceSignedOrNot) {
  host_ = MakeHost(ALLOY_ALLOW_UNSIGNED);
  auto first = MakeBridge(), second = MakeBridge(), third = MakeBridge();
  ASSERT_TRUE(first->Load(path_, nullptr).ok());
  ASSERT_TRUE(second->Load(path_, certificate_.c_str()).ok());
  ASSERT_TRUE(third->Load(path_, certificate_.c_str()).ok());
  EXPECT_EQ(Initialised(first), 1);
  EXPECT_EQ(Initialised(third), 1);
  // Loaded before is no reason to believe a statement.
  statement_.needed = {"libzzz.so.1"};
  Sign();
  ExpectRefused(ALLOY_REASON_NEEDED, "libzzz.so.1 was signed");
  fs::remove(path_ + ".alloysig");
  ExpectRefused(ALLOY_REASON_NO_SIDECAR, "arrowalloy sign");
}

TEST_F(SignedLoadTest, HashesTheFileAnewThoughItsSignedBytesAreLoaded) {
  ASSERT_TRUE(Load().ok());
  const std::string bytes = signing::ReadFile(path_);
  std::string changed = bytes;
  changed.back() ^= 1;
  signing::WriteFile(path_, changed);
  ExpectRefused(ALLOY_REASON_DIGEST, path_);
  signing::WriteFile(path_, bytes + "x");
  ExpectRefused(ALLOY_REASON_SIZE, "size");
  signing::WriteFile(path_, bytes);
  EXPECT_TRUE(Load().ok());
}

TEST_F(SignedLoadTest, LoadsTheSameBytesOnceFromManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> loaded{0};
  auto bridge = MakeBridge();
  ASSERT_TRUE(bridge->Load(path_, certificate_.c_str()).ok());
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] { loaded += Load().ok() ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(loaded, 20);
  EXPECT_EQ(Initialised(bridge), 1);
}

TEST_F(SignedLoadTest, WarnsOfACertificateThatEndsSoon) {
  signer_ = signing::Signer("ed25519", ValidFor(20));
  certificate_ = signer_.cert.Base64();
  Sign();
  ASSERT_TRUE(Load().ok());
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_TRUE(lines_[0].starts_with("2 " + path_ + ": the certificate of CN=Test Signer"))
      << lines_[0];
}

TEST_F(SignedLoadTest, LoadsPlainlyForDebuggers) {
  host_ = MakeHost(ALLOY_LOAD_PLAINLY);
  auto bridge = MakeBridge();
  ASSERT_TRUE(bridge->Load(path_, nullptr).ok());
  EXPECT_EQ(Initialised(bridge), 1);
  const std::string maps = signing::ReadFile("/proc/self/maps");
  EXPECT_NE(maps.find(path_), std::string::npos);
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_NE(lines_[0].find("debuggers"), std::string::npos) << lines_[0];
  signing::WriteFile(path_ + ".alloysig", "");
  ExpectRefused(ALLOY_REASON_SIDECAR_MALFORMED, "is empty");
}

TEST_F(SignedLoadTest, AnInspectionAsksTheHostWhatMayBeNeeded) {
  Put("needs");
  const auto inspect = [&] {
    auto json = InspectLibrary(*host_, path_, certificate_);
    EXPECT_TRUE(json.ok());
    return *std::move(json);
  };
  const auto has = [](const std::string& json, std::string_view part) {
    EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
  };
  const std::string refused = inspect();
  has(refused, R"("ok":false)");
  has(refused, R"("not_allowed":["libneeded.so.1"])");
  // To the word of a load.
  const Status load = Load();
  EXPECT_EQ(load.reason(), ALLOY_REASON_NEEDED);
  has(refused, load.fault().text);

  const char* list[] = {ALLOY_ENGINE_SAMPLES "libneeded.so", nullptr};
  host_ = MakeHost(0, list);
  const std::string allowed = inspect();
  has(allowed, R"("verdict":{"ok":true)");
  has(allowed, R"("not_allowed":[])");
  EXPECT_TRUE(Load().ok());
}

TEST_F(SignedLoadTest, AProgramThatIsOlderHasNoSidecarOption) {
  options_.struct_size = offsetof(alloy_bridge_options, sidecar);
  options_.sidecar = "/no/such/file";
  EXPECT_TRUE(Load().ok());
  options_.struct_size -= 8;
  EXPECT_EQ(Bridge::Make(host_, options_).status().code(), ALLOY_INVALID);
}

}  // namespace
}  // namespace alloy::core
