// SPDX-License-Identifier: MIT
#include "trust/sidecar.h"

#include <gtest/gtest.h>

#include <random>

#include "trust/crypto_test_support.h"

namespace alloy::core {
namespace {

class SidecarTest : public testing::Test {
 protected:
  static void Expect(std::string_view bytes, std::string_view part) {
    ExpectRefused(SplitSidecar(bytes).status(), ALLOY_REASON_SIDECAR_MALFORMED, part);
  }

  const signing::Signer signer_;
  const std::string message_ = signing::StatementSpec().Text();
  const std::string good_ = signer_.Sidecar(message_);
};

TEST_F(SidecarTest, SplitsIntoMessageSignatureAndCertificates) {
  const std::string two = good_ + signing::Block("CERTIFICATE", "another");
  const auto sidecar = SplitSidecar(two);
  ASSERT_TRUE(sidecar.ok()) << sidecar.status().fault().text;
  EXPECT_EQ(sidecar->message, message_);
  EXPECT_EQ(sidecar->signature.size(), 64U);
  ASSERT_EQ(sidecar->certificates.size(), 2U);
  EXPECT_EQ(sidecar->certificates[0].size(), signer_.cert.Der().size());
  EXPECT_EQ(sidecar->certificates[1].size(), 7U);
}

TEST_F(SidecarTest, RefusesWhatIsEmptyOrTooLarge) {
  Expect("", "is empty");
  Expect(std::string(10'000'000, 'x'), "10000000 bytes");
  Expect("just text\n", "no line -----BEGIN ALLOY SIGNATURE-----");
}

TEST_F(SidecarTest, RefusesEveryPieceOfAGoodOne) {
  for (size_t size = 0; size < good_.size(); ++size) {
    const auto sidecar = SplitSidecar(std::string_view(good_).substr(0, size));
    ASSERT_FALSE(sidecar.ok()) << size;
    ASSERT_EQ(sidecar.status().reason(), ALLOY_REASON_SIDECAR_MALFORMED);
  }
}

TEST_F(SidecarTest, RefusesOtherFormsOfTheBlocks) {
  const std::string signature = signer_.key.Sign(message_);
  const std::string certificate = signing::Block("CERTIFICATE", signer_.cert.Der());
  const std::string block = signing::Block("ALLOY SIGNATURE", signature);
  Expect(message_ + block, "expected the line -----BEGIN CERTIFICATE-----");
  Expect(message_ + block + block + certificate, "BEGIN CERTIFICATE");
  Expect(good_ + "\n", "BEGIN CERTIFICATE");
  Expect(good_ + "more", "instead of \"more\"");
  Expect(good_ + certificate.substr(0, 100), "ends inside");
  Expect(good_.substr(0, good_.size() - 1), "ends inside");
  Expect(message_ + signing::Block("ALLOY SIGNATURE", "") + certificate, "is empty");
  std::string crlf = good_;
  for (size_t at = 0; (at = crlf.find('\n', at)) != crlf.npos; at += 2) {
    crlf.insert(at, "\r");
  }
  Expect(crlf, "no line -----BEGIN ALLOY SIGNATURE-----");
}

TEST_F(SidecarTest, TakesLinesOf64ColumnsOnly) {
  const std::string digits = signing::Base64Of(std::string(96, 'x'));  // 128 of them
  const std::string certificate = signing::Block("CERTIFICATE", signer_.cert.Der());
  const auto with = [&](const std::string& lines) {
    return message_ + "-----BEGIN ALLOY SIGNATURE-----\n" + lines +
           "-----END ALLOY SIGNATURE-----\n" + certificate;
  };
  EXPECT_TRUE(
      SplitSidecar(with(digits.substr(0, 64) + "\n" + digits.substr(64) + "\n")).ok());
  Expect(with(digits + "\n"), "64 columns");
  Expect(with(digits.substr(0, 60) + "\n" + digits.substr(60, 60) + "\n"), "64 columns");
  Expect(with(digits.substr(0, 64) + "\n\n"), "64 columns");
  Expect(with(digits.substr(0, 63) + " \n"), "character 64");
  Expect(with(digits.substr(0, 63) + "\n"), "multiple of 4");
}

TEST_F(SidecarTest, RefusesChainsThatAreTooLong) {
  std::string many = good_;
  for (int i = 0; i < 3; ++i) many += signing::Block("CERTIFICATE", "another");
  EXPECT_TRUE(SplitSidecar(many).ok());
  for (int i = 0; i < 6; ++i) many += signing::Block("CERTIFICATE", "another");
  ExpectRefused(SplitSidecar(many).status(), ALLOY_REASON_CERTIFICATE_UNTRUSTED,
                "10 certificates");
}

TEST_F(SidecarTest, SurvivesRandomChanges) {
  std::mt19937 random(11);
  for (int i = 0; i < 20000; ++i) {
    std::string changed = good_;
    for (int n = 0; n < 3; ++n)
      changed[random() % changed.size()] = static_cast<char>(random());
    const auto sidecar = SplitSidecar(changed);
    if (sidecar.ok()) (void)ParseStatement(sidecar->message);
  }
}

}  // namespace
}  // namespace alloy::core
