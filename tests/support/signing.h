// SPDX-License-Identifier: MIT
//
// Keys, certificates and sidecars for tests, made by OpenSSL. They are valid by default;
// every field can be set to a wrong value.
#ifndef ALLOY_TESTS_SUPPORT_SIGNING_H_
#define ALLOY_TESTS_SUPPORT_SIGNING_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signing {

// The current time of the tests. Certificates are valid for some years around it.
inline constexpr int64_t kNow = 1795000000;  // 2026-11-18T11:06:40Z
inline constexpr int64_t kDay = 86400;

#if defined(__aarch64__)
inline constexpr std::string_view kPlatform = "linux-aarch64-gnu";
#else
inline constexpr std::string_view kPlatform = "linux-x86_64-gnu";
#endif

// "ed25519", "rsa:3072", "rsa-pss:3072", or the name of an elliptic curve such as
// "P-256".
class Key {
 public:
  explicit Key(std::string_view type);
  EVP_PKEY* get() const { return key_.get(); }

  // The algorithm of the key, as docs/signing.md names it.
  std::string Sign(std::string_view message) const;

 private:
  std::shared_ptr<EVP_PKEY> key_;
};

// One key of each type for a whole program: making an RSA key takes a second.
const Key& SharedKey(const std::string& type);

// Extensions are written as in openssl.cnf; an empty one is left out.
struct CertificateSpec {
  std::string name = "Test Signer";
  std::string constraints = "critical,CA:FALSE";
  std::string usage = "critical,digitalSignature";
  std::string extended = "codeSigning";
  int64_t not_before = kNow - 365 * kDay, not_after = kNow + 3650 * kDay;
  int64_t serial = 0;  // 0: a new one
};
CertificateSpec AuthoritySpec(std::string name = "Test Authority");

class Cert {
 public:
  // Issued by `issuer` with `issuer_key`; NULL: signed by its own key.
  Cert(const CertificateSpec& spec, const Key& key, const Cert* issuer = nullptr,
       const Key* issuer_key = nullptr);
  X509* get() const { return x509_.get(); }
  std::string Der() const;
  std::string Base64() const;  // the argument of SetImplLib

 private:
  std::shared_ptr<X509> x509_;
};

std::string Base64Of(std::string_view bytes);
std::string Sha256Hex(std::string_view bytes);

struct StatementSpec {
  std::string kind = "backend", name = "acme.one", version = "0.1.0", sequence = "1",
              abi = "1", platform = std::string(kPlatform),
              not_before = "2026-01-01T00:00:00Z", not_after = "2999-01-01T00:00:00Z",
              size = "64", sha256 = std::string(64, '0'), file = "one.so";
  std::vector<std::string> needed;
  std::string Text() const;
};
// Size and digest of these bytes.
StatementSpec StatementFor(std::string_view library);

std::string Block(std::string_view label, std::string_view bytes);
std::string SidecarOf(std::string_view message, std::string_view signature,
                      const std::vector<Cert>& chain);

// A signer: a key and its self-signed certificate, as `arrowalloy keygen` makes them.
struct Signer {
  explicit Signer(std::string_view type = "ed25519", const CertificateSpec& spec = {})
      : key(type), cert(spec, key) {}
  explicit Signer(Key with) : key(std::move(with)), cert({}, key) {}
  std::string Sidecar(std::string_view message) const {
    return SidecarOf(message, key.Sign(message), {cert});
  }
  Key key;
  Cert cert;
};

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, std::string_view bytes);

}  // namespace signing

#endif  // ALLOY_TESTS_SUPPORT_SIGNING_H_
