// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "admit/admit.h"
#include "admit/elf_samples.h"
#include "tests/support/signing.h"

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
    statement_.needed = AdmitLibrary(path_)->facts.needed;
    std::ranges::sort(statement_.needed);
    Sign();
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Sign() const {
    signing::WriteFile(path_ + ".alloysig", signer_.Sidecar(statement_.Text()));
  }
  Result<AdmittedLibrary> Admit() {
    ALLOY_ASSIGN_OR_RETURN(auto library, AdmitFile(path_, admission_, libcrypto_));
    ALLOY_TRY(LookThrough(Bytes(library.bytes), &library));
    return library;
  }
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
  LibcryptoSource libcrypto_;
  Admission admission_{.certificate = signer_.cert.Base64(),
                       .sidecar = "",
                       .name = "",
                       .min_sequence = 0,
                       .now = kNow};
};

TEST_F(SignedTest, AdmitsWhatWasSigned) {
  const auto library = Admit();
  ASSERT_TRUE(library.ok()) << library.status().fault().text;
  EXPECT_EQ(library->verified->statement.name, "acme.one");
  EXPECT_EQ(HexText(*library->digest), statement_.sha256);
}

TEST_F(SignedTest, ChecksACertificateBeforeTheLibrary) {
  fs::remove(path_);
  admission_.certificate = "MIIB";
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
  admission_.sidecar = folder_ / "elsewhere";
  ExpectRefused(ALLOY_REASON_NO_SIDECAR, "elsewhere");
  fs::rename(path_ + ".alloysig", admission_.sidecar);
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
  admission_.name = "acme.two";
  ExpectRefused(ALLOY_REASON_NAME, "lib.so.alloysig: name");
  admission_.name = "acme.one";
  admission_.min_sequence = 2;
  ExpectRefused(ALLOY_REASON_ROLLBACK, "at least 2");
  statement_.sequence = "2";
  Sign();
  EXPECT_TRUE(Admit().ok());
  statement_.not_after = "2026-11-01T00:00:00Z";
  Sign();
  ExpectRefused(ALLOY_REASON_STATEMENT_EXPIRED, "2026-11-01");
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
  LibcryptoSource none("libcrypto-of-nobody.so.3");
  const Status status = AdmitFile(path_, admission_, none).status();
  EXPECT_EQ(status.code(), ALLOY_REFUSED);
  EXPECT_EQ(status.reason(), ALLOY_REASON_NO_LIBCRYPTO);
  EXPECT_NE(status.fault().text.find("libssl3"), std::string::npos);
  LibcryptoSource other("libm.so.6");
  EXPECT_NE(AdmitFile(path_, admission_, other)
                .status()
                .fault()
                .text.find("no function OPENSSL_init_crypto"),
            std::string::npos);
}

TEST_F(SignedTest, NeedsNoLibcryptoWithoutACertificate) {
  LibcryptoSource none("libcrypto-of-nobody.so.3");
  EXPECT_TRUE(AdmitFile(path_, {}, none).ok());
}

TEST_F(SignedTest, WarnsInTheLastThirtyDaysOfACertificate) {
  const auto library = Admit();
  ASSERT_TRUE(library.ok());
  EXPECT_TRUE(WarningsOf(*library->verified, kNow).empty());
  const int64_t end = kNow + 3650 * kDay;
  EXPECT_TRUE(WarningsOf(*library->verified, end - 30 * kDay).empty());
  const auto warnings = WarningsOf(*library->verified, end - 30 * kDay + 1);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("CN=Test Signer ends at 2036-"), std::string::npos);
  EXPECT_NE(warnings[0].find("in 29 days"), std::string::npos);
}

TEST_F(SignedTest, HashesAndDoesNotCopyALibraryThatIsHeld) {
  std::string asked;
  const IsHeld is_held = [&](std::string_view sha256) {
    asked = sha256;
    return true;
  };
  auto library = AdmitFile(path_, admission_, libcrypto_, is_held);
  ASSERT_TRUE(library.ok()) << library.status().fault().text;
  EXPECT_EQ(asked, statement_.sha256);
  EXPECT_EQ(HexText(*library->digest), statement_.sha256);
  EXPECT_FALSE(library->sealed);
  EXPECT_FALSE(library->bytes);
  // What is held says nothing of this file.
  statement_.sha256 = std::string(64, '1');
  Sign();
  EXPECT_EQ(AdmitFile(path_, admission_, libcrypto_, is_held).status().reason(),
            ALLOY_REASON_DIGEST);
}

}  // namespace
}  // namespace alloy::core
