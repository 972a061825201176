// SPDX-License-Identifier: MIT
//
// Keys, certificates and signatures with OpenSSL, as far as signing needs them. The engine
// verifies: nothing here decides whether a library may be loaded.
#ifndef ARROWALLOY_SIGN_CRYPTO_H_
#define ARROWALLOY_SIGN_CRYPTO_H_

#include <openssl/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace arrowalloy {

using Seconds = std::chrono::sys_seconds;

struct FreeKey {
  void operator()(EVP_PKEY* key) const;
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

struct FreeCertificate {
  void operator()(X509* certificate) const;
};
using Certificate = std::unique_ptr<X509, FreeCertificate>;

// `type`: ed25519 or p256.
Key MakeKey(const std::string& type);

// PKCS#8 in PEM, without a password.
std::string ToPem(const Key& key);
std::string ToPem(const Certificate& certificate);
// DER in base64 on one line, as SetImplLib takes it.
std::string ToBase64(const Certificate& certificate);

// What goes into a certificate or a request.
struct Subject {
  std::string common_name;
  int64_t days = 0;
};

// A self-signed certificate for signing code, valid from now.
Certificate SelfSign(const Key& key, const Subject& subject);

// A certificate request in PEM, for a certificate like that of SelfSign.
std::string MakeRequest(const Key& key, const Subject& subject);

// A private key in PEM.
//   Throws  E0101, E0201.
Key ReadKey(const std::string& path);

// One certificate in PEM, DER or base64.
//   Throws  E0101, E0202.
Certificate ReadCertificate(const std::string& path);

// All certificates of a PEM file, in their order.
//   Throws  E0101, E0202.
std::vector<Certificate> ReadChain(const std::string& path);

// Check that the engine accepts this certificate as a signer's, and that it is for `key`.
//   Throws  E0202: not for signing code, of an authority, weak, not valid at `now`;
//           E0201: it is for another key.
void CheckSigner(const Certificate& certificate, const std::string& path, const Key& key,
                 Seconds now);

// Whether `issuer` could have signed `certificate`.
bool Issued(const Certificate& issuer, const Certificate& certificate);

std::string SubjectOf(const Certificate& certificate);
Seconds NotAfter(const Certificate& certificate);
// The kind of a key in words, such as "ed25519".
std::string KeyText(const EVP_PKEY* key);

// The signature over a message. The key decides the algorithm: Ed25519; ECDSA with SHA-256
// (P-256) or SHA-384 (P-384), in DER; RSA-PSS with SHA-256 and a salt of 32 bytes.
std::string Sign(const Key& key, std::string_view message);

std::string EncodeBase64(std::string_view bytes);

}  // namespace arrowalloy

#endif  // ARROWALLOY_SIGN_CRYPTO_H_
