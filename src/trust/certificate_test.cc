// SPDX-License-Identifier: MIT
#include "trust/certificate.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "trust/crypto_test_support.h"

namespace alloy::core {
namespace {

class CertificateTest : public testing::Test {
 protected:
  void Expect(std::string_view argument, int32_t reason, std::string_view part) const {
    ExpectRefused(ParseCertificateArgument(*crypto_, argument).status(), reason, part);
  }

  const std::shared_ptr<const Crypto> crypto_ = TestCrypto();
  const signing::Signer signer_;
};

TEST_F(CertificateTest, ReadsWhatIsToBeKnown) {
  const auto certificate = ParseCertificateArgument(*crypto_, signer_.cert.Base64());
  ASSERT_TRUE(certificate.ok()) << certificate.status().fault().text;
  const CertificateFacts& facts = certificate->facts();
  EXPECT_EQ(facts.subject, "CN=Test Signer");
  EXPECT_EQ(facts.issuer, "CN=Test Signer");
  EXPECT_EQ(facts.key, "ed25519");
  EXPECT_EQ(facts.not_before, signing::kNow - 365 * signing::kDay);
  EXPECT_EQ(facts.not_after, signing::kNow + 3650 * signing::kDay);
  EXPECT_EQ(facts.sha256, signing::Sha256Hex(signer_.cert.Der()));
  EXPECT_FALSE(facts.is_ca);
}

TEST_F(CertificateTest, KnowsTheKeysThatMaySign) {
  const auto facts_of = [&](const char* type) {
    const signing::Signer signer(signing::SharedKey(type));
    auto certificate = Certificate::FromDer(*crypto_, AsBytes(signer.cert.Der()));
    EXPECT_TRUE(certificate.ok());
    return certificate->facts();
  };
  EXPECT_EQ(facts_of("ed25519").key_kind, KeyKind::kEd25519);
  EXPECT_EQ(facts_of("P-256").key_kind, KeyKind::kP256);
  EXPECT_EQ(facts_of("P-384").key_kind, KeyKind::kP384);
  EXPECT_EQ(facts_of("rsa:3072").key_kind, KeyKind::kRsaPss);
  EXPECT_EQ(facts_of("rsa-pss:3072").key_kind, KeyKind::kRsaPss);
  EXPECT_EQ(facts_of("rsa:2048").key_kind, KeyKind::kUnusable);
  EXPECT_EQ(facts_of("rsa:2048").key, "rsa 2048");
  EXPECT_EQ(facts_of("P-521").key_kind, KeyKind::kUnusable);
  EXPECT_EQ(facts_of("secp256k1").key_kind, KeyKind::kUnusable);
}

TEST_F(CertificateTest, RefusesWhatIsNotStrictBase64) {
  const std::string good = signer_.cert.Base64();
  std::string url = good;
  for (char& c : url) c = c == '+' || c == '/' ? '-' : c;
  Expect(" " + good, ALLOY_REASON_CERTIFICATE_BASE64, "cert-base64");
  Expect(good + "\n", ALLOY_REASON_CERTIFICATE_BASE64, "not strict base64");
  Expect(good.substr(0, 64) + "\n" + good.substr(64), ALLOY_REASON_CERTIFICATE_BASE64,
         "line break");
  Expect(good.substr(0, good.size() - 1), ALLOY_REASON_CERTIFICATE_BASE64,
         "multiple of 4");
  Expect(std::string(1, '\0') + good, ALLOY_REASON_CERTIFICATE_BASE64, "\\x00");
  Expect(url, ALLOY_REASON_CERTIFICATE_BASE64, "base64url");
  Expect(signing::Block("CERTIFICATE", signer_.cert.Der()),
         ALLOY_REASON_CERTIFICATE_BASE64, "PEM");
  Expect(std::string(size_t{1} << 20U, 'A'), ALLOY_REASON_CERTIFICATE_BASE64,
         "1048576 characters");
}

TEST_F(CertificateTest, RefusesWhatIsNotOneCertificate) {
  const std::string der = signer_.cert.Der();
  const auto base64 = [](std::string_view bytes) { return signing::Base64Of(bytes); };
  Expect(base64(der + der), ALLOY_REASON_CERTIFICATE_DER, "more of them behind");
  Expect(base64(der + '\0'), ALLOY_REASON_CERTIFICATE_DER, "more of them behind");
  Expect(base64(der.substr(0, der.size() - 1)), ALLOY_REASON_CERTIFICATE_DER, "not one");
  Expect("", ALLOY_REASON_CERTIFICATE_DER, "not one");
  Expect("AAAA", ALLOY_REASON_CERTIFICATE_DER, "not one");
  Expect(base64("\x30\x80"), ALLOY_REASON_CERTIFICATE_DER, "not one");
  unsigned char* bytes = nullptr;
  const int size = i2d_PrivateKey(signer_.key.get(), &bytes);
  Expect(base64({reinterpret_cast<char*>(bytes), static_cast<size_t>(size)}),
         ALLOY_REASON_CERTIFICATE_DER, "a key, a request");
  OPENSSL_free(bytes);
}

TEST_F(CertificateTest, RefusesARequestForACertificate) {
  const std::unique_ptr<X509_REQ, void (*)(X509_REQ*)> request(X509_REQ_new(),
                                                               X509_REQ_free);
  X509_REQ_set_pubkey(request.get(), signer_.key.get());
  ASSERT_GT(X509_REQ_sign(request.get(), signer_.key.get(), nullptr), 0);
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_REQ(request.get(), &bytes);
  ASSERT_GT(size, 0);
  Expect(signing::Base64Of({reinterpret_cast<char*>(bytes), static_cast<size_t>(size)}),
         ALLOY_REASON_CERTIFICATE_DER, "request");
  OPENSSL_free(bytes);
}

TEST_F(CertificateTest, SurvivesEveryChangedByte) {
  const std::string der = signer_.cert.Der();
  for (size_t i = 0; i < der.size(); ++i) {
    for (const unsigned flip : {1U, 0x80U, 0xffU}) {
      std::string changed = der;
      changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ flip);
      const auto certificate = Certificate::FromDer(*crypto_, AsBytes(changed));
      if (!certificate.ok()) {
        EXPECT_EQ(certificate.status().reason(), ALLOY_REASON_CERTIFICATE_DER);
      }
    }
  }
}

TEST_F(CertificateTest, LeavesNoErrorOfLibcryptoBehind) {
  (void)ParseCertificateArgument(*crypto_, "MAA=");
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace alloy::core
