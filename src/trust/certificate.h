// SPDX-License-Identifier: MIT
//
// X.509 certificates: parsed from DER, with the facts that trust needs.
#ifndef ALLOY_SRC_TRUST_CERTIFICATE_H_
#define ALLOY_SRC_TRUST_CERTIFICATE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trust/crypto.h"

namespace alloy::core {

// The keys that may sign, each with the one algorithm that it signs by.
enum class KeyKind {
  kEd25519,
  kP256,    // ECDSA with SHA-256
  kP384,    // ECDSA with SHA-384
  kRsaPss,  // of 3072 bits or more, with SHA-256, MGF1 of it, and a salt of 32 bytes
  kUnusable,
};

struct CertificateFacts {
  std::string subject, issuer;  // by RFC 2253, printable ASCII
  std::string key;              // such as "ed25519", "ec prime256v1", "rsa 3072"
  KeyKind key_kind = KeyKind::kUnusable;
  int64_t not_before = 0, not_after = 0;  // seconds since 1970
  std::string sha256;                     // of its DER, in hex
  bool has_constraints = false;           // the extension basicConstraints
  bool is_ca = false;
};

// Threads  const members: shared.
class Certificate {
 public:
  // Exactly one certificate, in strict DER (der.h), so that no two byte strings are the
  // same certificate. The Crypto must live as long.
  //   Fails  REFUSED with CERTIFICATE_DER, or with WEAK_KEY for a curve without a name.
  static Result<Certificate> FromDer(const Crypto& crypto,
                                     std::span<const std::byte> der);

  x509_st* get() const { return x509_.get(); }
  const CertificateFacts& facts() const { return facts_; }

 private:
  explicit Certificate(Held<x509_st> x509) : x509_(std::move(x509)) {}

  Held<x509_st> x509_;
  CertificateFacts facts_;
};

// What SetImplLib takes: strict base64 of one DER certificate of at most 16 KiB.
//   Fails  REFUSED with CERTIFICATE_BASE64, CERTIFICATE_DER or WEAK_KEY.
Result<Certificate> ParseCertificateArgument(const Crypto& crypto,
                                             std::string_view argument);

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_CERTIFICATE_H_
