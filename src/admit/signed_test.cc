// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "admit/admit_test_support.h"
#include "admit/elf_samples.h"
#include "tests/support/signed_copy.h"

namespace alloy::core {
namespace {

namespace fs = std::filesystem;
using signing::kDay;
using signing::kNow;

class SignedTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("alloy_signed_" + std::to_string(std::random_device()()));
    fs::create_directories(folder_);
    path_ = folder_ / "lib.so";
    fs::copy_file(SamplePath("good.so"), path_);
    statement_ = signing::StatementFor(signing::ReadFile(path_));
    statement_.needed = support::NeededOf(signing::ReadFile(path_));
    policy_.library = path_;
    policy_.certificate = signer_.cert.Base64();
    policy_.now = kNow;
    Sign();
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Sign() const {
    signing::WriteFile(path_ + ".alloysig", signer_.Sidecar(statement_.Text()));
  }
  Result<Cleared> Admit() { return ClearFile(admitter_, policy_); }
  void ExpectRefused(int32_t reason, std::string_view part) {
    const Status status = Admit().status();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.code(), ALLOY_REFUSED);
    EXPECT_EQ(status.reason(), reason) << status.fault().text;
    EXPECT_NE(status.fault().text.find(part), std::string::npos) << status.fault().text;
    EXPECT_TRUE(status.fault().text.starts_with(folder_.string())) << status.fault().text;
  }

  const signing::Signer signer_;
  fs::path folder_;
  std::string path_;
  signing::StatementSpec statement_;
  Admitter admitter_{MayNeed()};
  Policy policy_;
};

TEST_F(SignedTest, AdmitsWhatWasSigned) {
  const auto verified = VerifyFile(admitter_, policy_);
  ASSERT_TRUE(verified.ok()) << verified.status().fault().text;
  EXPECT_EQ(verified->identity().sha256, statement_.sha256);
  EXPECT_TRUE(verified->expectations().CheckTable("acme.one", "0.1.0", 1).ok());
  EXPECT_EQ(verified->expectations().CheckTable("acme.two", "0.1.0", 1).reason(),
            ALLOY_REASON_STATEMENT_TABLE);
  EXPECT_TRUE(Admit().ok());
}

TEST_F(SignedTest, ChecksACertificateBeforeTheLibrary) {
  fs::remove(path_);
  policy_.certificate = "MIIB";
  ExpectRefused(ALLOY_REASON_CERTIFICATE_DER, "lib.so: the certificate is not one DER");
}

TEST_F(SignedTest, WantsASidecarThatIsARegularFile) {
  const std::string sidecar = path_ + ".alloysig";
  fs::remove(sidecar);
  ExpectRefused(ALLOY_REASON_NO_SIDECAR, "arrowalloy sign " + path_);
  fs::create_directory(sidecar);
  ExpectRefused(ALLOY_REASON_NO_SIDECAR, "is a folder");
  fs::remove(sidecar);
  ASSERT_EQ(::mkfifo(sidecar.c_str(), 0600), 0);
  ExpectRefused(ALLOY_REASON_NO_SIDECAR, "is a pipe");
  fs::remove(sidecar);
  fs::create_symlink(sidecar, sidecar);
  ExpectRefused(ALLOY_REASON_NO_SIDECAR, "cannot be opened");
  fs::remove(sidecar);
  signing::WriteFile(sidecar, std::string(10 << 20, 'x'));
  ExpectRefused(ALLOY_REASON_SIDECAR_MALFORMED, "65,536");
  signing::WriteFile(sidecar, "");
  ExpectRefused(ALLOY_REASON_SIDECAR_MALFORMED, "lib.so.alloysig: is empty");
}

TEST_F(SignedTest, TakesASidecarFromAnotherPlace) {
  policy_.sidecar = folder_ / "elsewhere";
  ExpectRefused(ALLOY_REASON_NO_SIDECAR, "elsewhere");
  fs::rename(path_ + ".alloysig", policy_.sidecar);
  EXPECT_TRUE(Admit().ok());
}

TEST_F(SignedTest, NoticesEachKindOfChangeOfTheLibrary) {
  const std::string bytes = signing::ReadFile(path_);
  for (const size_t at : {size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    signing::WriteFile(path_, changed);
    ExpectRefused(ALLOY_REASON_DIGEST, statement_.sha256);
  }
  signing::WriteFile(path_, bytes + '\0');
  ExpectRefused(ALLOY_REASON_SIZE, std::to_string(bytes.size() + 1));
  signing::WriteFile(path_, bytes.substr(0, bytes.size() - 1));
  ExpectRefused(ALLOY_REASON_SIZE, "arrowalloy sign");
}

TEST_F(SignedTest, ComparesTheStatementWithWhatTheHostWants) {
  policy_.name = "acme.two";
  ExpectRefused(ALLOY_REASON_NAME, "lib.so.alloysig: name");
  policy_.name = "acme.one";
  policy_.min_sequence = 2;
  ExpectRefused(ALLOY_REASON_ROLLBACK, "at least 2");
  statement_.sequence = "2";
  Sign();
  EXPECT_TRUE(Admit().ok());
  statement_.not_after = "2026-11-01T00:00:00Z";
  Sign();
  ExpectRefused(ALLOY_REASON_STATEMENT_EXPIRED, "2026-11-01");
}

TEST_F(SignedTest, ComparesTheDigestThatTheHostWantsWithTheSealedCopy) {
  policy_.sha256 = statement_.sha256;
  EXPECT_TRUE(Admit().ok());
  EXPECT_TRUE(std::move(*admitter_.Open(policy_)).Confirm().ok());
  policy_.sha256 = std::string(64, '1');
  EXPECT_EQ(std::move(*admitter_.Open(policy_)).Confirm().status().reason(),
            ALLOY_REASON_DIGEST);
  ExpectRefused(ALLOY_REASON_DIGEST, statement_.sha256);
  // Without a certificate libcrypto is needed for it, and for nothing else.
  Policy unsigned_policy = UnsignedPolicy(path_);
  Admitter none(MayNeed(), "libcrypto-of-nobody.so.3");
  EXPECT_TRUE(VerifyFile(none, unsigned_policy).ok());
  unsigned_policy.sha256 = statement_.sha256;
  EXPECT_TRUE(VerifyFile(admitter_, unsigned_policy).ok());
  EXPECT_EQ(VerifyFile(none, unsigned_policy).status().reason(),
            ALLOY_REASON_NO_LIBCRYPTO);
}

TEST_F(SignedTest, ComparesWhatTheLibraryNeedsWithWhatWasSigned) {
  statement_.needed.emplace_back("libzzz.so.1");
  Sign();
  ExpectRefused(ALLOY_REASON_NEEDED, "libzzz.so.1");
  statement_.needed.clear();
  Sign();
  ExpectRefused(ALLOY_REASON_NEEDED, "nothing was signed");
}

TEST_F(SignedTest, NamesThePackageThatIsMissing) {
  Admitter none(MayNeed(), "libcrypto-of-nobody.so.3");
  const Status status = none.Open(policy_).status();
  EXPECT_EQ(status.code(), ALLOY_REFUSED);
  EXPECT_EQ(status.reason(), ALLOY_REASON_NO_LIBCRYPTO);
  EXPECT_NE(status.fault().text.find("libssl3"), std::string::npos);
  Admitter other(MayNeed(), "libm.so.6");
  EXPECT_NE(
      other.Open(policy_).status().fault().text.find("no function OPENSSL_init_crypto"),
      std::string::npos);
}

TEST_F(SignedTest, NeedsNoLibcryptoWithoutACertificate) {
  Admitter none(MayNeed(), "libcrypto-of-nobody.so.3");
  EXPECT_TRUE(ClearFile(none, UnsignedPolicy(path_)).ok());
}

TEST_F(SignedTest, WithoutACertificateTheHostsNameIsComparedWithTheTable) {
  Policy policy = UnsignedPolicy(path_);
  policy.name = "acme.one";
  const auto verified = VerifyFile(admitter_, policy);
  ASSERT_TRUE(verified.ok());
  EXPECT_TRUE(verified->expectations().CheckTable("acme.one", "7.0.0", 7).ok());
  EXPECT_EQ(verified->expectations().CheckTable("acme.two", "0.1.0", 1).reason(),
            ALLOY_REASON_NAME);
}

TEST_F(SignedTest, WarnsInTheLastThirtyDaysOfACertificate) {
  statement_.not_after = "2040-01-01T00:00:00Z";
  Sign();
  const auto warnings = [&](int64_t now) {
    policy_.now = now;
    const auto verified = VerifyFile(admitter_, policy_);
    EXPECT_TRUE(verified.ok());
    return verified->expectations().Warnings();
  };
  EXPECT_TRUE(warnings(kNow).empty());
  const int64_t end = kNow + 3650 * kDay;
  EXPECT_TRUE(warnings(end - 30 * kDay).empty());
  const auto last = warnings(end - 30 * kDay + 1);
  ASSERT_EQ(last.size(), 1U);
  EXPECT_NE(last[0].find("CN=Test Signer ends at 2036-"), std::string::npos);
  EXPECT_NE(last[0].find("in 29 days"), std::string::npos);
}

TEST_F(SignedTest, ConfirmsAFileByItsHashAlone) {
  auto candidate = admitter_.Open(policy_);
  ASSERT_TRUE(candidate.ok()) << candidate.status().fault().text;
  EXPECT_EQ(candidate->signed_sha256(), statement_.sha256);
  const auto expected = std::move(*candidate).Confirm();
  ASSERT_TRUE(expected.ok()) << expected.status().fault().text;
  EXPECT_TRUE(expected->CheckTable("acme.one", "0.1.0", 1).ok());
  EXPECT_TRUE(expected->CheckNeeded(statement_.needed).ok());
  // That a digest is loaded does not prove anything about this file.
  statement_.sha256 = std::string(64, '1');
  Sign();
  EXPECT_EQ(std::move(*admitter_.Open(policy_)).Confirm().status().reason(),
            ALLOY_REASON_DIGEST);
}

TEST_F(SignedTest, AFileWithoutASignedDigestIsNeverConfirmed) {
  auto candidate = admitter_.Open(UnsignedPolicy(path_));
  ASSERT_TRUE(candidate.ok());
  EXPECT_EQ(candidate->signed_sha256(), "");
  EXPECT_FALSE(std::move(*candidate).Confirm().ok());
}

TEST_F(SignedTest, FilesAreTheSameByDigestOrByAllBytes) {
  const auto identity = [&](const Policy& policy) {
    return VerifyFile(admitter_, policy)->identity();
  };
  const FileIdentity signed_file = identity(policy_);
  const FileIdentity unsigned_file = identity(UnsignedPolicy(path_));
  EXPECT_TRUE(signed_file.IsSameFile(signed_file));
  EXPECT_TRUE(signed_file.IsSameFile(unsigned_file));
  EXPECT_TRUE(unsigned_file.IsSameFile(signed_file));
  EXPECT_FALSE(
      unsigned_file.IsSameFile(identity(UnsignedPolicy(SamplePath("rpath.so")))));
  FileIdentity other = signed_file;
  other.sha256 = std::string(64, '1');
  EXPECT_FALSE(signed_file.IsSameFile(other));
}

}  // namespace
}  // namespace alloy::core
