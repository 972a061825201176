// SPDX-License-Identifier: MIT
#include "trust/verify.h"

#include <gtest/gtest.h>

#include <functional>

#include "trust/crypto_test_support.h"

namespace alloy::core {
namespace {

using signing::kDay;
using signing::kNow;

class VerifyTest : public testing::Test {
 protected:
  Result<Verified> Verify(std::string_view sidecar) const {
    auto anchor = ParseCertificateArgument(*crypto_, signer_.cert.Base64());
    EXPECT_TRUE(anchor.ok());
    return VerifySidecar(*crypto_, *anchor, sidecar, kNow);
  }
  Statement Stated(
      const std::function<void(signing::StatementSpec&)>& change = {}) const {
    signing::StatementSpec spec;
    if (change) change(spec);
    auto statement = ParseStatement(spec.Text());
    EXPECT_TRUE(statement.ok());
    return *std::move(statement);
  }
  void ExpectPolicy(const std::function<void(signing::StatementSpec&)>& change,
                    int32_t reason, std::string_view part) const {
    ExpectRefused(CheckStatement(Stated(change), 64, policy_), reason, part);
  }

  const std::shared_ptr<const Crypto> crypto_ = TestCrypto();
  const signing::Signer signer_;
  const std::string message_ = signing::StatementSpec().Text();
  Policy policy_{.library = "lib/one.so", .name = "", .min_sequence = 0, .now = kNow};
};

TEST_F(VerifyTest, BelievesAStatementThatTheSignerSigned) {
  const auto verified = Verify(signer_.Sidecar(message_));
  ASSERT_TRUE(verified.ok()) << verified.status().fault().text;
  EXPECT_EQ(verified->statement.name, "acme.one");
  EXPECT_EQ(verified->signer().subject, "CN=Test Signer");
  EXPECT_EQ(&verified->first_to_end(), &verified->chain[0]);
}

TEST_F(VerifyTest, NoticesEachBitOfTheStatement) {
  const std::string good = signer_.Sidecar(message_);
  for (size_t bit = 0; bit < 8 * message_.size(); ++bit) {
    std::string changed = good;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    const auto verified = Verify(changed);
    ASSERT_FALSE(verified.ok());
    ASSERT_EQ(verified.status().reason(), ALLOY_REASON_SIGNATURE)
        << bit << verified.status().fault().text;
  }
}

TEST_F(VerifyTest, ReadsNoLineOfAStatementBeforeItsSignatureHolds) {
  const signing::Signer other;
  const std::string strange = "not a statement at all\n";
  ExpectRefused(
      Verify(signing::SidecarOf(strange, other.key.Sign(strange), {signer_.cert}))
          .status(),
      ALLOY_REASON_SIGNATURE, "was changed");
  ExpectRefused(Verify(signer_.Sidecar(strange)).status(), ALLOY_REASON_SIDECAR_MALFORMED,
                "line 1");
  ExpectRefused(Verify(signer_.Sidecar("")).status(), ALLOY_REASON_SIDECAR_MALFORMED,
                "line 1");
}

TEST_F(VerifyTest, RefusesASecondBlockOfASignatureInsideTheStatement) {
  const std::string inner =
      message_ + signing::Block("ALLOY SIGNATURE", signer_.key.Sign(message_));
  ExpectRefused(Verify(signer_.Sidecar(inner)).status(), ALLOY_REASON_SIDECAR_MALFORMED,
                "BEGIN CERTIFICATE");
}

TEST_F(VerifyTest, NamesTheCertificateThatIsMalformed) {
  const std::string sidecar =
      signer_.Sidecar(message_) + signing::Block("CERTIFICATE", "no DER");
  ExpectRefused(Verify(sidecar).status(), ALLOY_REASON_CERTIFICATE_DER, "certificate 2 ");
}

TEST_F(VerifyTest, KnowsWhichCertificateEndsFirst) {
  signing::CertificateSpec soon = signing::AuthoritySpec("Soon");
  soon.not_after = kNow + 10 * kDay;
  const signing::Key key("P-256");
  const signing::Cert authority(soon, key);
  const signing::Cert signer({}, signer_.key, &authority, &key);
  auto anchor = ParseCertificateArgument(*crypto_, authority.Base64());
  ASSERT_TRUE(anchor.ok());
  const auto verified = VerifySidecar(
      *crypto_, *anchor,
      signing::SidecarOf(message_, signer_.key.Sign(message_), {signer}), kNow);
  ASSERT_TRUE(verified.ok()) << verified.status().fault().text;
  EXPECT_EQ(verified->first_to_end().subject, "CN=Soon");
}

TEST_F(VerifyTest, ComparesTheStatementWithWhatIsWanted) {
  EXPECT_TRUE(CheckStatement(Stated(), 64, policy_).ok());
  ExpectRefused(CheckStatement(Stated(), 65, policy_), ALLOY_REASON_SIZE,
                "64 bytes were signed (one.so), the library has 65; sign it again: "
                "arrowalloy sign lib/one.so");
  ExpectPolicy([](auto& s) { s.kind = "revocation"; }, ALLOY_REASON_KIND, "revocation");
  ExpectPolicy([](auto& s) { s.abi = "2"; }, ALLOY_REASON_STATEMENT_ABI, "for 2");
  ExpectPolicy([](auto& s) { s.platform = "linux-mips-gnu"; }, ALLOY_REASON_PLATFORM,
               "linux-mips-gnu");
  ExpectPolicy([](auto& s) { s.not_after = "2026-11-01T00:00:00Z"; },
               ALLOY_REASON_STATEMENT_EXPIRED, "ended at 2026-11-01T00:00:00Z");
  ExpectPolicy([](auto& s) { s.not_before = "2026-12-01T00:00:00Z"; },
               ALLOY_REASON_STATEMENT_NOT_YET_VALID, "begins at 2026-12-01T00:00:00Z");
  policy_.name = "acme.two";
  ExpectPolicy({}, ALLOY_REASON_NAME, "\"acme.one\", and the bridge wants \"acme.two\"");
  policy_.name = "acme.one";
  policy_.min_sequence = 2;
  ExpectPolicy({}, ALLOY_REASON_ROLLBACK,
               "1 was signed, and the bridge wants at least 2");
  policy_.min_sequence = 1;
  EXPECT_TRUE(CheckStatement(Stated(), 64, policy_).ok());
}

TEST_F(VerifyTest, TakesTheFirstAndTheLastSecondOfAStatement) {
  const auto at = [&](const char* from, const char* to) {
    return CheckStatement(Stated([&](auto& s) {
                            s.not_before = from;
                            s.not_after = to;
                          }),
                          64, policy_)
        .ok();
  };
  EXPECT_TRUE(at("2026-11-18T11:06:40Z", "2026-11-18T11:06:40Z"));
  EXPECT_FALSE(at("2026-11-18T11:06:41Z", "2026-11-18T11:06:41Z"));
  EXPECT_FALSE(at("2026-11-18T11:06:39Z", "2026-11-18T11:06:39Z"));
}

TEST_F(VerifyTest, ComparesDigestNeededAndTable) {
  const auto digest = crypto_->Sha256(AsBytes("library"));
  ASSERT_TRUE(digest.ok());
  EXPECT_EQ(HexText(*digest), signing::Sha256Hex("library"));
  Sha256Stream pieces(*crypto_);
  for (const char* piece : {"lib", "", "rary"}) pieces.Add(AsBytes(piece));
  EXPECT_EQ(*pieces.Finish(), *digest);
  const Statement right =
      Stated([](auto& s) { s.sha256 = signing::Sha256Hex("library"); });
  EXPECT_TRUE(CheckDigest(*crypto_, right, *digest, policy_).ok());
  ExpectRefused(CheckDigest(*crypto_, Stated(), *digest, policy_), ALLOY_REASON_DIGEST,
                HexText(*digest));

  const Statement needs = Stated([](auto& s) { s.needed = {"libc.so.6", "libm.so.6"}; });
  EXPECT_TRUE(CheckNeeded(needs, {"libm.so.6", "libc.so.6"}, policy_).ok());
  EXPECT_TRUE(CheckNeeded(needs, {"libm.so.6", "libc.so.6", "libm.so.6"}, policy_).ok());
  ExpectRefused(CheckNeeded(needs, {"libm.so.6", "libc.so.6", "libz.so.1"}, policy_),
                ALLOY_REASON_NEEDED, "libz.so.1");
  ExpectRefused(CheckNeeded(needs, {}, policy_), ALLOY_REASON_NEEDED, "nothing");

  EXPECT_TRUE(CheckTable(Stated(), "acme.one", "0.1.0", 1).ok());
  ExpectRefused(CheckTable(Stated(), "acme.two", "0.1.0", 1),
                ALLOY_REASON_STATEMENT_TABLE, "acme.two");
  ExpectRefused(CheckTable(Stated(), "acme.one", "0.2.0", 1),
                ALLOY_REASON_STATEMENT_TABLE, "0.2.0");
  ExpectRefused(CheckTable(Stated(), "acme.one", "0.1.0", 2),
                ALLOY_REASON_STATEMENT_TABLE, "abi");
}

}  // namespace
}  // namespace alloy::core
