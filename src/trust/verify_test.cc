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
  Result<VerifiedStatement> Verify(std::string_view sidecar) const {
    auto anchor = ParseCertificateArgument(*crypto_, signer_.cert.Base64());
    EXPECT_TRUE(anchor.ok());
    return VerifySidecar(*crypto_, *anchor, sidecar, kNow);
  }

  const std::shared_ptr<const Crypto> crypto_ = TestCrypto();
  const signing::Signer signer_;
  const std::string message_ = signing::StatementSpec().Text();
};

TEST_F(VerifyTest, BelievesAStatementThatTheSignerSigned) {
  const auto verified = Verify(signer_.Sidecar(message_));
  ASSERT_TRUE(verified.ok()) << verified.status().fault().text;
  EXPECT_EQ(verified->statement().name, "acme.one");
  EXPECT_EQ(verified->signer().subject, "CN=Test Signer");
  EXPECT_EQ(&verified->first_to_end(), &verified->chain()[0]);
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

TEST_F(VerifyTest, HashesTheSameInOnePieceAndInMany) {
  const auto digest = crypto_->Sha256(AsBytes("library"));
  ASSERT_TRUE(digest.ok());
  EXPECT_EQ(HexText(*digest), signing::Sha256Hex("library"));
  Sha256Stream pieces(*crypto_);
  for (const char* piece : {"lib", "", "rary"}) pieces.Add(AsBytes(piece));
  EXPECT_EQ(*pieces.Finish(), *digest);
}

}  // namespace
}  // namespace alloy::core
