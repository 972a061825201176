// SPDX-License-Identifier: MIT
//
// Attacks 7 to 17: signers whom the host's certificate does not vouch for.
#include "tests/attacks/attack_support.h"

namespace attacks {
namespace {

using signing::AuthoritySpec;
using signing::Cert;
using signing::CertificateSpec;
using signing::Key;

class ChainAttackTest : public AttackTest {
 protected:
  // The victim, signed by `key`, with these certificates in its sidecar.
  std::string PutWith(const Key& key, const std::vector<Cert>& chain) const {
    const std::string library = PutVictim();
    const std::string message = TrueStatement(SampleBytes("victim.so")).Text();
    PutSidecar(library, signing::SidecarOf(message, key.Sign(message), chain));
    return library;
  }
  void Expect(const Cert& anchor, const Key& key, const std::vector<Cert>& chain,
              int32_t reason) const {
    ExpectReason(Load(PutWith(key, chain), anchor.Base64()), reason);
  }

  const Key root_key_{"ed25519"}, key_{"ed25519"};
  const Cert root_{Valid(AuthoritySpec()), root_key_};
};

TEST_F(ChainAttackTest, Attack00AGoodChainLoads) {
  MayRun();
  const Key middle_key("P-256");
  const Cert middle(Valid(AuthoritySpec("Middle")), middle_key, &root_, &root_key_);
  const Cert signer(Valid(), key_, &middle, &middle_key);
  const alloy::Status status = Load(PutWith(key_, {signer, middle}), root_.Base64());
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(ChainAttackTest, Attack07AnExpiredSigner) {
  CertificateSpec spec = Valid();
  spec.not_after = kYear2000 + signing::kDay;
  Expect(root_, key_, {Cert(spec, key_, &root_, &root_key_)},
         ALLOY_REASON_CERTIFICATE_EXPIRED);
  const Cert pinned(spec, key_);
  Expect(pinned, key_, {pinned}, ALLOY_REASON_CERTIFICATE_EXPIRED);
}

TEST_F(ChainAttackTest, Attack08ASignerOfTheFuture) {
  CertificateSpec spec = Valid();
  spec.not_before = kYear2100 - signing::kDay;
  Expect(root_, key_, {Cert(spec, key_, &root_, &root_key_)},
         ALLOY_REASON_CERTIFICATE_NOT_YET_VALID);
}

TEST_F(ChainAttackTest, Attack09ACertificateOfAWebServerOfTheSameAuthority) {
  CertificateSpec spec = Valid();
  spec.extended = "serverAuth";
  Expect(root_, key_, {Cert(spec, key_, &root_, &root_key_)},
         ALLOY_REASON_CERTIFICATE_USAGE);
}

TEST_F(ChainAttackTest, Attack10AnotherAuthorityOfTheSameNameAndSerial) {
  CertificateSpec spec = Valid(AuthoritySpec());
  spec.serial = 4711;
  const Cert ours(spec, root_key_);
  const Key other_key("ed25519");
  const Cert theirs(spec, other_key);
  const Cert signer(Valid(), key_, &theirs, &other_key);
  Expect(ours, key_, {signer}, ALLOY_REASON_CERTIFICATE_UNTRUSTED);
  Expect(ours, key_, {signer, theirs}, ALLOY_REASON_CERTIFICATE_UNTRUSTED);
}

TEST_F(ChainAttackTest, Attack11ALeafThatActsAsAnAuthority) {
  const Key leaf_key("ed25519");
  const Cert leaf(Valid(), leaf_key, &root_, &root_key_);
  const Cert signer(Valid(), key_, &leaf, &leaf_key);
  Expect(root_, key_, {signer, leaf}, ALLOY_REASON_CERTIFICATE_UNTRUSTED);
}

TEST_F(ChainAttackTest, Attack12KeysThatAreTooWeak) {
  const Key& weak = signing::SharedKey("rsa:1024");
  const Cert signer(Valid(), weak, &root_, &root_key_);
  Expect(root_, weak, {signer}, ALLOY_REASON_WEAK_KEY);
  const Cert weak_root(Valid(AuthoritySpec()), weak);
  Expect(weak_root, key_, {Cert(Valid(), key_, &weak_root, &weak)},
         ALLOY_REASON_WEAK_KEY);
}

TEST_F(ChainAttackTest, Attack15WhatOpensslMakesByDefaultIsNoSigner) {
  // openssl req -x509: an authority, without a usage.
  CertificateSpec spec = Valid();
  spec.constraints = "critical,CA:TRUE";
  spec.usage = "";
  spec.extended = "";
  const Cert itself(spec, key_);
  const alloy::Status status = Load(PutWith(key_, {itself}), itself.Base64());
  EXPECT_TRUE(status.reason() == ALLOY_REASON_CERTIFICATE_IS_CA ||
              status.reason() == ALLOY_REASON_CERTIFICATE_USAGE)
      << status;
}

TEST_F(ChainAttackTest, Attack16AGoodChainToAnotherAnchor) {
  const Key other_key("ed25519");
  const Cert other(Valid(AuthoritySpec("Another")), other_key);
  const Cert signer(Valid(), key_, &other, &other_key);
  Expect(root_, key_, {signer, other}, ALLOY_REASON_CERTIFICATE_UNTRUSTED);
}

TEST_F(ChainAttackTest, Attack17AChainOfTen) {
  std::vector<Key> keys{root_key_};
  std::vector<Cert> certs{root_};
  for (int i = 0; i < 9; ++i) {
    keys.emplace_back("ed25519");
    certs.emplace_back(Valid(AuthoritySpec("Middle " + std::to_string(i))), keys.back(),
                       &certs.back(), &keys[keys.size() - 2]);
  }
  std::vector<Cert> chain{Cert(Valid(), key_, &certs.back(), &keys.back())};
  chain.insert(chain.end(), certs.rbegin(), certs.rend() - 1);
  ASSERT_EQ(chain.size(), 10u);
  Expect(root_, key_, chain, ALLOY_REASON_CERTIFICATE_UNTRUSTED);
}

}  // namespace
}  // namespace attacks
