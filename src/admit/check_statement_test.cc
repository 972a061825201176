// SPDX-License-Identifier: MIT
#include "admit/check_statement.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/support/signing.h"
#include "trust/crypto_test_support.h"

namespace alloy::core {
namespace {

using signing::kNow;

class CheckStatementTest : public testing::Test {
 protected:
  static Statement Stated(
      const std::function<void(signing::StatementSpec&)>& change = {}) {
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
  Policy policy_ = [] {
    Policy policy;
    policy.library = "lib/one.so";
    policy.now = kNow;
    return policy;
  }();
};

TEST_F(CheckStatementTest, ComparesTheStatementWithWhatIsWanted) {
  EXPECT_TRUE(CheckStatement(Stated(), 64, policy_).ok());
  ExpectRefused(
      CheckStatement(Stated(), 65, policy_), ALLOY_REASON_SIZE,
      "64 bytes were signed (one.so), but the library has 65 bytes; sign it again: "
      "arrowalloy sign lib/one.so");
  ExpectPolicy([](auto& s) { s.kind = "revocation"; }, ALLOY_REASON_KIND, "revocation");
  ExpectPolicy([](auto& s) { s.abi = "2"; }, ALLOY_REASON_STATEMENT_ABI, "for ABI 2");
  ExpectPolicy([](auto& s) { s.platform = "linux-mips-gnu"; }, ALLOY_REASON_PLATFORM,
               "linux-mips-gnu");
  ExpectPolicy([](auto& s) { s.not_after = "2026-11-01T00:00:00Z"; },
               ALLOY_REASON_STATEMENT_EXPIRED, "expired at 2026-11-01T00:00:00Z");
  ExpectPolicy([](auto& s) { s.not_before = "2026-12-01T00:00:00Z"; },
               ALLOY_REASON_STATEMENT_NOT_YET_VALID, "valid from 2026-12-01T00:00:00Z");
  policy_.name = "acme.two";
  ExpectPolicy({}, ALLOY_REASON_NAME,
               "\"acme.one\", but the bridge expects \"acme.two\"");
  policy_.name = "acme.one";
  policy_.min_sequence = 2;
  ExpectPolicy({}, ALLOY_REASON_ROLLBACK,
               "1 was signed, but the bridge expects at least 2");
  policy_.min_sequence = 1;
  EXPECT_TRUE(CheckStatement(Stated(), 64, policy_).ok());
}

TEST_F(CheckStatementTest, TakesTheFirstAndTheLastSecondOfAStatement) {
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

TEST_F(CheckStatementTest, ComparesDigestNeedsAndTable) {
  const Statement right =
      Stated([](auto& s) { s.sha256 = signing::Sha256Hex("library"); });
  EXPECT_TRUE(
      CheckSignedDigest(*crypto_, right, signing::Sha256Hex("library"), "lib/one.so")
          .ok());
  ExpectRefused(
      CheckSignedDigest(*crypto_, Stated(), signing::Sha256Hex("library"), "lib/one.so"),
      ALLOY_REASON_DIGEST, signing::Sha256Hex("library"));

  const Statement needs = Stated([](auto& s) { s.needed = {"libc.so.6", "libm.so.6"}; });
  EXPECT_TRUE(CheckSignedNeeds(needs, {"libm.so.6", "libc.so.6"}, "lib/one.so").ok());
  EXPECT_TRUE(
      CheckSignedNeeds(needs, {"libm.so.6", "libc.so.6", "libm.so.6"}, "lib/one.so")
          .ok());
  ExpectRefused(
      CheckSignedNeeds(needs, {"libm.so.6", "libc.so.6", "libz.so.1"}, "lib/one.so"),
      ALLOY_REASON_NEEDED, "libz.so.1");
  ExpectRefused(CheckSignedNeeds(needs, {}, "lib/one.so"), ALLOY_REASON_NEEDED,
                "nothing");

  EXPECT_TRUE(CheckSignedTable(Stated(), "acme.one", "0.1.0", 1).ok());
  ExpectRefused(CheckSignedTable(Stated(), "acme.two", "0.1.0", 1),
                ALLOY_REASON_STATEMENT_TABLE, "acme.two");
  ExpectRefused(CheckSignedTable(Stated(), "acme.one", "0.2.0", 1),
                ALLOY_REASON_STATEMENT_TABLE, "0.2.0");
  ExpectRefused(CheckSignedTable(Stated(), "acme.one", "0.1.0", 2),
                ALLOY_REASON_STATEMENT_TABLE, "abi");
}

}  // namespace
}  // namespace alloy::core
