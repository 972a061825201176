// SPDX-License-Identifier: MIT
//
// Attacks 1 to 6: what may be wrong with the text of the certificate.
#include "tests/attacks/attack_support.h"

namespace attacks {
namespace {

class CertificateAttackTest : public AttackTest {
 protected:
  void Expect(const std::string& certificate, int32_t reason) {
    ExpectReason(Load(PutVictim(), certificate), reason);
  }
  const std::string good_ = Pinned().cert.Base64();
};

TEST_F(CertificateAttackTest, Attack00TheVictimItselfLoadsAndLeavesItsMarks) {
  MayRun();
  const alloy::Status status = Load(PutVictim());
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(fs::exists(ALLOY_ATTACK_MARKER ".constructor"));
  EXPECT_TRUE(fs::exists(ALLOY_ATTACK_MARKER ".resolver"));
}

TEST_F(CertificateAttackTest, Attack01AnEmptyCertificateIsNone) {
  Expect("", ALLOY_REASON_UNSIGNED);
}

TEST_F(CertificateAttackTest, Attack02TwoCertificatesInOneAreRefused) {
  const std::string der = Pinned().cert.Der();
  Expect(signing::Base64Of(der + der), ALLOY_REASON_CERTIFICATE_DER);
  Expect(signing::Base64Of(der + "x"), ALLOY_REASON_CERTIFICATE_DER);
}

TEST_F(CertificateAttackTest, Attack03Base64HasOneSpellingOnly) {
  std::string unpadded = good_;
  while (unpadded.ends_with('=')) unpadded.pop_back();
  const std::string padded = good_ + "=";
  for (const std::string& text :
       {padded, good_ + "====", " " + good_, good_ + " ", good_ + "\n",
        good_.substr(0, 64) + "\n" + good_.substr(64), good_.substr(1)}) {
    Expect(text, ALLOY_REASON_CERTIFICATE_BASE64);
  }
  // One byte more, so that the last character has bits that no encoder sets.
  std::string odd = signing::Base64Of(Pinned().cert.Der());
  while (!odd.ends_with("="))
    odd = signing::Base64Of(signing::Signer("ed25519").cert.Der());
  const size_t last = odd.find_last_not_of('=');
  ++odd[last];
  Expect(odd, ALLOY_REASON_CERTIFICATE_BASE64);
}

TEST_F(CertificateAttackTest, Attack04OtherAlphabetsAreRefused) {
  Expect(signing::Block("CERTIFICATE", Pinned().cert.Der()),
         ALLOY_REASON_CERTIFICATE_BASE64);
  Expect("-_" + good_.substr(2), ALLOY_REASON_CERTIFICATE_BASE64);
  // A text that goes on behind its NUL is not the text before it.
  Expect(good_ + std::string(1, '\0') + "more", ALLOY_REASON_CERTIFICATE_BASE64);
  Expect(std::string(1, '\0') + good_, ALLOY_REASON_CERTIFICATE_BASE64);
}

TEST_F(CertificateAttackTest, Attack05AKeyOrARequestIsNoCertificate) {
  for (const int what : {0, 1, 2}) {
    unsigned char* der = nullptr;
    int size = 0;
    EVP_PKEY* key = Pinned().key.get();
    X509_REQ* request = X509_REQ_new();
    X509_REQ_set_pubkey(request, key);
    X509_REQ_sign(request, key, nullptr);
    if (what == 0) size = i2d_PUBKEY(key, &der);
    if (what == 1) size = i2d_PrivateKey(key, &der);
    if (what == 2) size = i2d_X509_REQ(request, &der);
    X509_REQ_free(request);
    ASSERT_GT(size, 0);
    const std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(size));
    OPENSSL_free(der);
    Expect(signing::Base64Of(text), ALLOY_REASON_CERTIFICATE_DER);
  }
}

TEST_F(CertificateAttackTest, Attack06AMebibyteOfTextIsRefused) {
  Expect(std::string(size_t{1} << 20, 'A'), ALLOY_REASON_CERTIFICATE_BASE64);
}

}  // namespace
}  // namespace attacks
