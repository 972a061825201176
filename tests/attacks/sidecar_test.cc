// SPDX-License-Identifier: MIT
//
// Attacks 18 to 30: sidecars that say the wrong thing, or say it wrongly.
#include <random>

#include "tests/attacks/attack_support.h"

namespace attacks {
namespace {

class SidecarAttackTest : public AttackTest {
 protected:
  void SetUp() override {
    AttackTest::SetUp();
    library_ = PutVictim();
    statement_ = TrueStatement(SampleBytes("victim.so"));
    message_ = statement_.Text();
    good_ = Pinned().Sidecar(message_);
  }
  // With this text as the sidecar.
  void ExpectOfText(std::string_view text, int32_t reason, const std::string& what = "") {
    PutSidecar(library_, text);
    SCOPED_TRACE(what);
    ExpectReason(Load(library_), reason);
  }
  // With this statement, well signed.
  void ExpectOfStatement(const signing::StatementSpec& statement, int32_t reason) {
    ExpectOfText(Pinned().Sidecar(statement.Text()), reason, statement.Text());
  }
  // With this text in the place of the statement, well signed.
  void ExpectMalformed(const std::string& message) {
    ExpectOfText(Pinned().Sidecar(message), ALLOY_REASON_SIDECAR_MALFORMED, message);
  }
  static std::string Replaced(std::string text, std::string_view from,
                              std::string_view to) {
    text.replace(text.find(from), from.size(), to);
    return text;
  }

  std::string library_, message_, good_;
  signing::StatementSpec statement_;
};

TEST_F(SidecarAttackTest, Attack18NoSidecar) {
  fs::remove(library_ + ".alloysig");
  ExpectReason(Load(library_), ALLOY_REASON_NO_SIDECAR, ".alloysig");
  fs::create_directory(library_ + ".alloysig");
  ExpectReason(Load(library_), ALLOY_REASON_NO_SIDECAR);
}

TEST_F(SidecarAttackTest, Attack19EmptyTruncatedAndRandomSidecars) {
  ExpectOfText("", ALLOY_REASON_SIDECAR_MALFORMED);
  for (size_t size = 0; size < good_.size(); size += 7) {
    ExpectOfText(good_.substr(0, size), ALLOY_REASON_SIDECAR_MALFORMED,
                 std::to_string(size));
  }
  std::mt19937_64 random(20260917);
  for (int i = 0; i < 50; ++i) {
    std::string noise(random() % 4096, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    ExpectOfText(noise, ALLOY_REASON_SIDECAR_MALFORMED);
  }
}

TEST_F(SidecarAttackTest, Attack20EveryOtherSpellingOfAStatement) {
  ExpectMalformed(Replaced(message_, "abi: 1\n", "abi: 1\nabi: 1\n"));
  ExpectMalformed(Replaced(message_, "abi: 1\n", "abi: 1\ncolour: red\n"));
  ExpectMalformed(Replaced(message_, "abi: 1\n", ""));
  ExpectMalformed(Replaced(message_, "name: acme.victim\nversion: 1.0.0\n",
                           "version: 1.0.0\nname: acme.victim\n"));
  ExpectMalformed(Replaced(message_, "abi: 1\n", "abi:\t1\n"));
  ExpectMalformed(Replaced(message_, "abi: 1\n", "abi: 1\r\n"));
  ExpectMalformed(Replaced(message_, "abi: 1\n", "abi: 1 \n"));
  ExpectMalformed(Replaced(message_, "acme.victim", "acme.victím"));
  ExpectMalformed(Replaced(message_, "acme.victim", std::string("acme.\0", 6)));
  ExpectMalformed(Replaced(message_, "alloy-statement-v1", "alloy-statement-v2"));
  ExpectMalformed(message_.substr(0, message_.size() - 1));  // no final line feed
  ExpectMalformed(message_ + "more\n");
  std::string crlf;
  for (const char c : good_) crlf.append(c == '\n' ? "\r\n" : std::string(1, c));
  ExpectOfText(crlf, ALLOY_REASON_SIDECAR_MALFORMED);
  ExpectOfText(good_.substr(0, good_.size() - 1), ALLOY_REASON_SIDECAR_MALFORMED);
  ExpectOfText(good_ + "\n", ALLOY_REASON_SIDECAR_MALFORMED);
  ExpectOfText(good_ + "text\n", ALLOY_REASON_SIDECAR_MALFORMED);
  ExpectOfText(good_ + good_, ALLOY_REASON_SIDECAR_MALFORMED);
  const std::string second =
      signing::Block("ALLOY SIGNATURE", Pinned().key.Sign(message_));
  ExpectOfText(message_ + second + good_.substr(message_.size()),
               ALLOY_REASON_SIDECAR_MALFORMED);
  ExpectOfText(good_ + std::string(size_t{10} << 20, 'x'),
               ALLOY_REASON_SIDECAR_MALFORMED);
}

TEST_F(SidecarAttackTest, Attack21EveryFlippedBitOfTheStatement) {
  for (size_t at = 0; at < message_.size(); ++at) {
    std::string text = good_;
    text[at] = static_cast<char>(text[at] ^ (1 << at % 7));
    PutSidecar(library_, text);
    const alloy::Status status = Load(library_);
    // A line feed or a dash that comes or goes may break the form before it is judged.
    EXPECT_TRUE(status.reason() == ALLOY_REASON_SIGNATURE ||
                status.reason() == ALLOY_REASON_SIDECAR_MALFORMED)
        << at << ": " << status;
  }
  ExpectOfText(Replaced(good_, "version: 1.0.0", "version: 1.0.1"),
               ALLOY_REASON_SIGNATURE);
}

TEST_F(SidecarAttackTest, Attack22EveryFlippedBitOfTheSignature) {
  const std::string signature = Pinned().key.Sign(message_);
  for (size_t bit = 0; bit < 8 * signature.size(); bit += 3) {
    std::string other = signature;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << bit % 8));
    ExpectOfText(signing::SidecarOf(message_, other, {Pinned().cert}),
                 ALLOY_REASON_SIGNATURE, std::to_string(bit));
  }
}

TEST_F(SidecarAttackTest, Attack23ASignatureOfAnotherKindOfKey) {
  for (const char* type : {"P-256", "P-384", "ed25519"}) {
    const std::string signature = signing::Key(type).Sign(message_);
    ExpectOfText(signing::SidecarOf(message_, signature, {Pinned().cert}),
                 ALLOY_REASON_SIGNATURE, type);
  }
}

TEST_F(SidecarAttackTest, Attack24TheSidecarOfAnotherLibrary) {
  const std::string other = SampleBytes("evil.so");
  PutSidecar(library_, Pinned().Sidecar(TrueStatement(other).Text()));
  const alloy::Status status = Load(library_);
  EXPECT_TRUE(status.reason() == ALLOY_REASON_SIZE ||
              status.reason() == ALLOY_REASON_DIGEST)
      << status;
  ExpectOfText(Pinned().Sidecar(TrueStatement(SampleBytes("victim.so") + "x").Text()),
               ALLOY_REASON_SIZE);
}

TEST_F(SidecarAttackTest, Attack25AnotherName) {
  alloy_bridge_options options{};
  options.struct_size = sizeof(options);
  options.name = "acme.wanted";
  const alloy::Host host{alloy::HostOptions{}};
  alloy_bridge* bridge = nullptr;
  ASSERT_EQ(alloy_bridge_new(host.get(), &options, &bridge, nullptr), ALLOY_OK);
  alloy_error error{};
  EXPECT_EQ(
      alloy_bridge_load(bridge, library_.c_str(), Pinned().cert.Base64().c_str(), &error),
      ALLOY_REFUSED);
  EXPECT_EQ(error.reason, ALLOY_REASON_NAME) << error.text;
  alloy_bridge_free(bridge);
}

TEST_F(SidecarAttackTest, Attack26AnotherPlatformKindOrAbi) {
  auto statement = statement_;
  statement.platform = "linux-riscv64-gnu";
  ExpectOfStatement(statement, ALLOY_REASON_PLATFORM);
  statement = statement_;
  statement.abi = "2";
  ExpectOfStatement(statement, ALLOY_REASON_STATEMENT_ABI);
  statement = statement_;
  statement.kind = "firmware";
  ExpectOfStatement(statement, ALLOY_REASON_KIND);
}

TEST_F(SidecarAttackTest, Attack27AStatementBeforeOrAfterItsTime) {
  auto statement = statement_;
  statement.not_after = "2001-01-01T00:00:00Z";
  ExpectOfStatement(statement, ALLOY_REASON_STATEMENT_EXPIRED);
  statement = statement_;
  statement.not_before = "2998-01-01T00:00:00Z";
  ExpectOfStatement(statement, ALLOY_REASON_STATEMENT_NOT_YET_VALID);
}

TEST_F(SidecarAttackTest, Attack28AnOlderSequenceThanTheBridgeAccepts) {
  alloy_bridge_options options{};
  options.struct_size = sizeof(options);
  options.min_sequence = 2;
  const alloy::Host host{alloy::HostOptions{}};
  alloy_bridge* bridge = nullptr;
  ASSERT_EQ(alloy_bridge_new(host.get(), &options, &bridge, nullptr), ALLOY_OK);
  alloy_error error{};
  EXPECT_EQ(
      alloy_bridge_load(bridge, library_.c_str(), Pinned().cert.Base64().c_str(), &error),
      ALLOY_REFUSED);
  EXPECT_EQ(error.reason, ALLOY_REASON_ROLLBACK) << error.text;
  alloy_bridge_free(bridge);
}

TEST_F(SidecarAttackTest, Attack30TheRightKeyOverAnotherDocument) {
  ExpectMalformed("I owe you one euro.\n");
  ExpectMalformed("alloy-statement-v1\nend\n");
}

}  // namespace
}  // namespace attacks
