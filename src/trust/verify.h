// SPDX-License-Identifier: MIT
//
// From bytes to a verdict: what the sidecar of a library states, and whether its signature
// is valid. No I/O, no clock, no state.
#ifndef ALLOY_SRC_TRUST_VERIFY_H_
#define ALLOY_SRC_TRUST_VERIFY_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "trust/certificate.h"
#include "trust/sidecar.h"

namespace alloy::core {

// A statement whose signature is valid. Only VerifySidecar makes one. A value.
class VerifiedStatement {
 public:
  const Statement& statement() const { return statement_; }
  // The signer's certificate first, the anchor last.
  const std::vector<CertificateFacts>& chain() const { return chain_; }
  const CertificateFacts& signer() const { return chain_.front(); }
  // The certificate of the chain that ends first.
  const CertificateFacts& first_to_end() const;

 private:
  friend Result<VerifiedStatement> VerifySidecar(const Crypto& crypto,
                                                 const Certificate& anchor,
                                                 std::string_view sidecar, int64_t now);
  VerifiedStatement(Statement statement, std::vector<CertificateFacts> chain)
      : statement_(std::move(statement)), chain_(std::move(chain)) {}

  Statement statement_;
  std::vector<CertificateFacts> chain_;
};

// Verify the chain of certificates, then the signature; parse the statement only after
// both are valid.
//   Fails  REFUSED with a reason of SplitSidecar, VerifyChain, VerifyMessage or
//          ParseStatement, or with CERTIFICATE_DER for a certificate of the sidecar.
Result<VerifiedStatement> VerifySidecar(const Crypto& crypto, const Certificate& anchor,
                                        std::string_view sidecar, int64_t now);

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_VERIFY_H_
