// SPDX-License-Identifier: MIT
#include "trust/chain.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "trust/crypto_test_support.h"

namespace alloy::core {
namespace {

using signing::AuthoritySpec;
using signing::Cert;
using signing::CertificateSpec;
using signing::kDay;
using signing::Key;
using signing::kNow;

class ChainTest : public testing::Test {
 protected:
  Certificate Parsed(const Cert& cert) const {
    auto certificate = Certificate::FromDer(*crypto_, AsBytes(cert.Der()));
    EXPECT_TRUE(certificate.ok()) << certificate.status().fault().text;
    return *std::move(certificate);
  }

  Result<std::vector<CertificateFacts>> Verify(const Cert& anchor,
                                               const std::vector<Cert>& chain,
                                               int64_t now = kNow) const {
    std::vector<Certificate> certificates;
    for (const Cert& cert : chain) certificates.push_back(Parsed(cert));
    return VerifyChain(*crypto_, Parsed(anchor), certificates, now);
  }

  void Expect(const Cert& anchor, const std::vector<Cert>& chain, int32_t reason,
              std::string_view part, int64_t now = kNow) const {
    ExpectRefused(Verify(anchor, chain, now).status(), reason, part);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }

  Cert Issued(const CertificateSpec& spec) const {
    return {spec, signer_key_, &root_, &root_key_};
  }

  const std::shared_ptr<const Crypto> crypto_ = TestCrypto();
  const Key root_key_{"P-256"}, middle_key_{"P-256"}, signer_key_{"ed25519"};
  const Cert root_{AuthoritySpec("Root"), root_key_};
  const Cert middle_{AuthoritySpec("Middle"), middle_key_, &root_, &root_key_};
  const Cert signer_{CertificateSpec(), signer_key_, &middle_, &middle_key_};
};

TEST_F(ChainTest, LeadsToAnAuthorityThatIsGiven) {
  const auto chain = Verify(root_, {signer_, middle_});
  ASSERT_TRUE(chain.ok()) << chain.status().fault().text;
  ASSERT_EQ(chain->size(), 3U);
  EXPECT_EQ((*chain)[0].subject, "CN=Test Signer");
  EXPECT_EQ((*chain)[1].subject, "CN=Middle");
  EXPECT_EQ((*chain)[2].subject, "CN=Root");
}

TEST_F(ChainTest, EndsAtAnAuthorityInTheMiddleThatIsGiven) {
  const auto chain = Verify(middle_, {signer_});
  ASSERT_TRUE(chain.ok()) << chain.status().fault().text;
  EXPECT_EQ(chain->size(), 2U);
  EXPECT_TRUE(Verify(middle_, {signer_, middle_}).ok());
  EXPECT_TRUE(Verify(root_, {signer_, middle_, root_}).ok());
}

TEST_F(ChainTest, TakesTheSignersOwnCertificatePinned) {
  const auto issued = Verify(signer_, {signer_});
  ASSERT_TRUE(issued.ok()) << issued.status().fault().text;
  EXPECT_EQ(issued->size(), 1U);
  for (const char* type : {"ed25519", "P-256", "P-384", "rsa:3072", "rsa-pss:3072"}) {
    const signing::Signer self(signing::SharedKey(type));
    const auto chain = Verify(self.cert, {self.cert});
    ASSERT_TRUE(chain.ok()) << type << ": " << chain.status().fault().text;
    EXPECT_EQ(chain->size(), 1U);
  }
}

TEST_F(ChainTest, RefusesOtherAnchors) {
  const Key key("P-256");
  const Cert twin({.name = "Root",
                   .constraints = "critical,CA:TRUE",
                   .usage = "critical,keyCertSign,cRLSign",
                   .extended = "",
                   .serial = 5},
                  key);
  Expect(twin, {signer_, middle_}, ALLOY_REASON_CERTIFICATE_UNTRUSTED, "Root");
  Expect(root_, {signer_}, ALLOY_REASON_CERTIFICATE_UNTRUSTED, "does not chain to");
  const signing::Signer self;
  Expect(self.cert, {signer_, middle_, root_}, ALLOY_REASON_CERTIFICATE_UNTRUSTED,
         "CN=Test Signer");
  Expect(signer_, {self.cert}, ALLOY_REASON_CERTIFICATE_UNTRUSTED, "does not chain to");
  Expect(root_, {self.cert, root_}, ALLOY_REASON_CERTIFICATE_UNTRUSTED,
         "does not chain to");
}

TEST_F(ChainTest, RefusesALeafThatActsAsAnAuthority) {
  const Key key("ed25519");
  const Cert below({.name = "Below"}, key, &signer_, &signer_key_);
  Expect(root_, {below, signer_, middle_}, ALLOY_REASON_CERTIFICATE_UNTRUSTED, "Below");
  Expect(signer_, {below}, ALLOY_REASON_CERTIFICATE_UNTRUSTED, "Below");
}

TEST_F(ChainTest, WantsCertificatesForSigningCode) {
  Expect(root_, {Issued({.extended = "serverAuth"})}, ALLOY_REASON_CERTIFICATE_USAGE,
         "codeSigning");
  Expect(root_, {Issued({.extended = ""})}, ALLOY_REASON_CERTIFICATE_USAGE,
         "codeSigning");
  Expect(root_, {Issued({.extended = "anyExtendedKeyUsage"})},
         ALLOY_REASON_CERTIFICATE_USAGE, "codeSigning");
  Expect(root_, {Issued({.usage = ""})}, ALLOY_REASON_CERTIFICATE_USAGE,
         "digitalSignature");
  Expect(root_, {Issued({.usage = "keyAgreement"})}, ALLOY_REASON_CERTIFICATE_USAGE,
         "digitalSignature");
  // What `openssl req -x509` makes unless it is told more.
  const signing::Signer plain(
      "rsa:3072", {.constraints = "critical,CA:TRUE", .usage = "", .extended = ""});
  Expect(plain.cert, {plain.cert}, ALLOY_REASON_CERTIFICATE_USAGE, "arrowalloy keygen");
}

TEST_F(ChainTest, RefusesAnAuthorityThatSignsByItself) {
  const signing::Signer authority("P-256",
                                  {.constraints = "critical,CA:TRUE",
                                   .usage = "critical,keyCertSign,digitalSignature"});
  Expect(authority.cert, {authority.cert}, ALLOY_REASON_CERTIFICATE_IS_CA, "CA:TRUE");
}

TEST_F(ChainTest, RefusesAnAuthorityForOtherPurposes) {
  CertificateSpec tls = AuthoritySpec("TLS Authority");
  tls.extended = "serverAuth";
  const Cert authority(tls, middle_key_, &root_, &root_key_);
  const Cert signer(CertificateSpec(), signer_key_, &authority, &middle_key_);
  Expect(root_, {signer, authority}, ALLOY_REASON_CERTIFICATE_USAGE, "TLS Authority");
}

TEST_F(ChainTest, HoldsOnlyWhileEveryCertificateIsValid) {
  const Cert expired = Issued({.not_after = kNow - kDay});
  Expect(root_, {expired}, ALLOY_REASON_CERTIFICATE_EXPIRED, "expired at 2026-11-17T");
  Expect(expired, {expired}, ALLOY_REASON_CERTIFICATE_EXPIRED, "expired");
  const Cert early = Issued({.not_before = kNow + kDay});
  Expect(root_, {early}, ALLOY_REASON_CERTIFICATE_NOT_YET_VALID,
         "valid from 2026-11-19T");
  Expect(root_, {signer_, middle_}, ALLOY_REASON_CERTIFICATE_EXPIRED, "expired at",
         kNow + 4000 * kDay);
  Expect(root_, {signer_, middle_}, ALLOY_REASON_CERTIFICATE_NOT_YET_VALID, "clock", 0);
  CertificateSpec old = AuthoritySpec("Old Root");
  old.not_after = kNow - 1;
  const Cert old_root(old, root_key_);
  const Cert signer(CertificateSpec(), signer_key_, &old_root, &root_key_);
  Expect(old_root, {signer}, ALLOY_REASON_CERTIFICATE_EXPIRED, "Old Root");
}

TEST_F(ChainTest, RefusesWeakKeys) {
  for (const char* type : {"rsa:1024", "rsa:2048", "P-521", "secp256k1"}) {
    const signing::Signer weak(signing::SharedKey(type));
    Expect(weak.cert, {weak.cert}, ALLOY_REASON_WEAK_KEY, "3072");
  }
  const Key weak_key("rsa:1024");
  const Cert weak_root(AuthoritySpec("Weak Root"), weak_key);
  const Cert signer(CertificateSpec(), signer_key_, &weak_root, &weak_key);
  Expect(weak_root, {signer}, ALLOY_REASON_WEAK_KEY, "Weak Root");
}

TEST_F(ChainTest, RefusesExtensionsThatItDoesNotKnow) {
  const Cert odd = Issued({.constraints = "critical,CA:FALSE,pathlen:0"});
  EXPECT_FALSE(Verify(root_, {odd}).ok());
}

class MessageTest : public ChainTest, public testing::WithParamInterface<const char*> {};

TEST_P(MessageTest, IsThatOfTheKeyOverTheseBytes) {
  const signing::Signer signer(signing::SharedKey(GetParam()));
  const Certificate certificate = Parsed(signer.cert);
  const std::string message = "alloy-statement-v1\nanything\n";
  const std::string signature = signer.key.Sign(message);
  const auto verify = [&](std::string_view bytes, std::string_view by) {
    return VerifyMessage(*crypto_, certificate, bytes, AsBytes(by));
  };
  EXPECT_TRUE(verify(message, signature).ok());
  const auto expect_refusal = [&](std::string_view bytes, std::string_view by) {
    ExpectRefused(verify(bytes, by), ALLOY_REASON_SIGNATURE, "was changed");
  };
  for (size_t bit = 0; bit < 8 * message.size(); ++bit) {
    std::string changed = message;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    expect_refusal(changed, signature);
  }
  for (size_t i = 0; i < signature.size(); i += 7) {
    std::string changed = signature;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    expect_refusal(message, changed);
  }
  expect_refusal(message, "");
  expect_refusal(message, signature.substr(1));
  expect_refusal(message, signature + signature);
  for (const char* other : {"ed25519", "P-256", "P-384", "rsa:3072"}) {
    if (other != std::string_view(GetParam())) {
      expect_refusal(message, signing::SharedKey(other).Sign(message));
    }
  }
  EXPECT_EQ(ERR_peek_error(), 0U);
}

// One signature of 256 begins with a zero.
TEST_F(ChainTest, WantsRsaSignaturesAsLongAsTheirModulus) {
  const signing::Signer signer(signing::SharedKey("rsa:3072"));
  const Certificate certificate = Parsed(signer.cert);
  const std::string message = "alloy-statement-v1\nanything\n";
  std::string signature;
  do {
    signature = signer.key.Sign(message);
  } while (signature.front() != 0);
  const auto verify = [&](std::string_view by) {
    return VerifyMessage(*crypto_, certificate, message, AsBytes(by));
  };
  EXPECT_TRUE(verify(signature).ok());
  ExpectRefused(verify(signature.substr(1)), ALLOY_REASON_SIGNATURE, "was changed");
  ExpectRefused(verify('\0' + signature), ALLOY_REASON_SIGNATURE, "was changed");
}

INSTANTIATE_TEST_SUITE_P(EachKey, MessageTest,
                         testing::Values("ed25519", "P-256", "P-384", "rsa:3072",
                                         "rsa-pss:3072"));

}  // namespace
}  // namespace alloy::core
