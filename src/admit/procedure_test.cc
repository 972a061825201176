// SPDX-License-Identifier: MIT
#include "admit/procedure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "admit/admit_test_support.h"
#include "admit/elf_samples.h"
#include "tests/support/signing.h"

namespace alloy::core {
namespace {

namespace fs = std::filesystem;

class ProcedureTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("alloy_inspect_" + std::to_string(std::random_device()()));
    fs::create_directories(folder_);
    Put("good.so");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Put(const std::string& sample) {
    path_ = folder_ / sample;
    fs::copy_file(SamplePath(sample), path_, fs::copy_options::overwrite_existing);
    statement_ = signing::StatementFor(signing::ReadFile(path_));
    const auto bytes = ReadSample(sample);
    statement_.needed = InspectElf(bytes).facts.needed;
    std::ranges::sort(statement_.needed);
    policy_.library = path_;
    Sign();
  }
  void Sign() const {
    signing::WriteFile(path_ + ".alloysig", signer_.Sidecar(statement_.Text()));
  }
  Inspection Inspect(LibcryptoSource& libcrypto) {
    Procedure procedure(policy_, OnFault::kCollect, libcrypto, may_need_);
    const Status read = procedure.RunThrough(Procedure::Step::kEnd);
    EXPECT_TRUE(read.ok()) << read.fault().text;
    return procedure.found();
  }
  Inspection Inspect() { return Inspect(libcrypto_); }
  // The verdict is that of a load, to the word.
  void ExpectVerdictOfALoad(int32_t reason) {
    const Status verdict = Inspect().verdict;
    Admitter admitter{MayNeed()};
    const Status load = ClearFile(admitter, policy_).status();
    EXPECT_EQ(verdict.reason(), reason);
    ASSERT_FALSE(verdict.ok() || load.ok());
    EXPECT_EQ(verdict.code(), load.code());
    EXPECT_EQ(verdict.reason(), load.reason());
    EXPECT_EQ(verdict.fault().text, load.fault().text);
  }

  const signing::Signer signer_;
  fs::path folder_;
  std::string path_;
  signing::StatementSpec statement_;
  LibcryptoSource libcrypto_;
  const MayNeed may_need_;
  Policy policy_ = [this] {
    Policy policy;
    policy.certificate = signer_.cert.Base64();
    policy.now = signing::kNow;
    return policy;
  }();
};

TEST_F(ProcedureTest, FindsAllOfALibraryThatWouldBeLoaded) {
  const Inspection found = Inspect();
  EXPECT_TRUE(found.verdict.ok()) << found.verdict.fault().text;
  EXPECT_TRUE(found.trusted);
  EXPECT_EQ(found.size, std::stoll(statement_.size));
  EXPECT_EQ(found.sha256, statement_.sha256);
  EXPECT_EQ(found.sidecar, path_ + ".alloysig");
  EXPECT_EQ(found.statement->name, "acme.one");
  EXPECT_EQ(found.certificates.at(0).subject, "CN=Test Signer");
  EXPECT_TRUE(found.elf.faults.empty());
  const std::string json = AsJson(found);
  for (const char* part :
       {R"("verdict":{"ok":true,"code":0,"code_name":"OK","reason":0)",
        R"("trusted":true)", R"("name":"acme.one","version":"0.1.0","sequence":1)",
        R"("subject":"CN=Test Signer")", R"("key":"ed25519")",
        R"("exports":["alloy_backend_init"])", R"("warnings":[])"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
  }
}

TEST_F(ProcedureTest, FindsWhatIsClaimedWithoutACertificate) {
  policy_.certificate = "";
  const Inspection found = Inspect();
  EXPECT_EQ(found.verdict.reason(), ALLOY_REASON_UNSIGNED);
  EXPECT_FALSE(found.trusted);
  EXPECT_EQ(found.statement->name, "acme.one");
  EXPECT_EQ(found.certificates.size(), 1U);
  policy_.allows_unsigned = true;
  EXPECT_TRUE(Inspect().verdict.ok());
  policy_.allows_unsigned = false;
  fs::remove(path_ + ".alloysig");
  const std::string json = AsJson(Inspect());
  for (const char* part :
       {R"("reason_name":"UNSIGNED")", R"("sidecar":null,"statement":null,"signer":null)",
        R"("certificates":[])"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
  }
}

TEST_F(ProcedureTest, AnInspectionHasTheVerdictOfALoad) {
  const Policy good = policy_;
  policy_.certificate = "MIIB";
  ExpectVerdictOfALoad(ALLOY_REASON_CERTIFICATE_DER);
  policy_.certificate = signing::Signer().cert.Base64();
  ExpectVerdictOfALoad(ALLOY_REASON_CERTIFICATE_UNTRUSTED);
  policy_ = good;
  policy_.now = 0;
  ExpectVerdictOfALoad(ALLOY_REASON_CERTIFICATE_NOT_YET_VALID);
  policy_ = good;
  policy_.name = "acme.two";
  ExpectVerdictOfALoad(ALLOY_REASON_NAME);
  EXPECT_TRUE(Inspect().trusted);
  policy_ = good;
  statement_.sha256 = std::string(64, '1');
  Sign();
  ExpectVerdictOfALoad(ALLOY_REASON_DIGEST);
  statement_.size = "1";
  Sign();
  ExpectVerdictOfALoad(ALLOY_REASON_SIZE);
  Put("good.so");
  statement_.needed.emplace_back("libzzz.so.1");
  Sign();
  ExpectVerdictOfALoad(ALLOY_REASON_NEEDED);
  signing::WriteFile(path_ + ".alloysig", "text\n");
  ExpectVerdictOfALoad(ALLOY_REASON_SIDECAR_MALFORMED);
  fs::remove(path_ + ".alloysig");
  ExpectVerdictOfALoad(ALLOY_REASON_NO_SIDECAR);
  Put("many_faults.so");
  ExpectVerdictOfALoad(ALLOY_REASON_ELF_REFUSED);
}

TEST_F(ProcedureTest, FindsEveryFaultOfALibraryThatIsSigned) {
  Put("many_faults.so");
  const Inspection found = Inspect();
  EXPECT_TRUE(found.trusted);
  EXPECT_EQ(found.elf.faults.size(), 4U);
  EXPECT_NE(AsJson(found).find(R"("reason_name":"EXPORTS")"), std::string::npos);
}

TEST_F(ProcedureTest, ChecksAnArchiveAndLinksNothing) {
  Put("good.a");
  const Inspection found = Inspect();
  EXPECT_TRUE(found.is_archive);
  EXPECT_TRUE(found.verdict.ok()) << found.verdict.fault().text;
  signing::WriteFile(path_, "INPUT(evil.o)\n" + std::string(64, ' '));
  EXPECT_EQ(Inspect().elf.faults.at(0).reason(), ALLOY_REASON_ARCHIVE_MALFORMED);
}

TEST_F(ProcedureTest, InspectsWithoutLibcrypto) {
  LibcryptoSource none("libcrypto-of-nobody.so.3");
  const Inspection found = Inspect(none);
  EXPECT_EQ(found.verdict.reason(), ALLOY_REASON_NO_LIBCRYPTO);
  EXPECT_EQ(found.sha256, "");
  EXPECT_EQ(found.statement->name, "acme.one");
  EXPECT_NE(AsJson(found).find(R"("sha256":null)"), std::string::npos);
}

TEST_F(ProcedureTest, AnInspectionFailsWhereThereIsNothingToRead) {
  policy_.library = folder_ / "missing.so";
  Admitter admitter{MayNeed()};
  EXPECT_EQ(admitter.Inspect(policy_).status().reason(), ALLOY_REASON_CANNOT_OPEN);
}

}  // namespace
}  // namespace alloy::core
