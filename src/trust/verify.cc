// SPDX-License-Identifier: MIT
#include "trust/verify.h"

#include <algorithm>
#include <string>

#include "trust/chain.h"

namespace alloy::core {

const CertificateFacts& VerifiedStatement::first_to_end() const {
  return *std::ranges::min_element(chain_, {}, &CertificateFacts::not_after);
}

Result<VerifiedStatement> VerifySidecar(const Crypto& crypto, const Certificate& anchor,
                                        std::string_view sidecar, int64_t now) {
  ALLOY_ASSIGN_OR_RETURN(const Sidecar parts, SplitSidecar(sidecar));
  std::vector<Certificate> certificates;
  for (const std::vector<std::byte>& der : parts.certificates) {
    auto certificate = Certificate::FromDer(crypto, der);
    if (!certificate.ok()) {
      return certificate.status().WithPrefix(
          "certificate " + std::to_string(certificates.size() + 1) + " ");
    }
    certificates.push_back(*std::move(certificate));
  }
  ALLOY_ASSIGN_OR_RETURN(std::vector<CertificateFacts> chain,
                         VerifyChain(crypto, anchor, certificates, now));
  ALLOY_TRY(VerifyMessage(crypto, certificates.front(), parts.message, parts.signature));
  ALLOY_ASSIGN_OR_RETURN(Statement statement, ParseStatement(parts.message));
  return VerifiedStatement(std::move(statement), std::move(chain));
}

}  // namespace alloy::core
