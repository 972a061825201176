// SPDX-License-Identifier: MIT
//
// Whether a signer may sign, and leads to the one certificate that the host trusts.
#ifndef ALLOY_SRC_TRUST_CHAIN_H_
#define ALLOY_SRC_TRUST_CHAIN_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "trust/certificate.h"

namespace alloy::core {

// The facts of a chain that holds at `now`: the signer first, the anchor last (the signer
// alone when the anchor is its own certificate, pinned). `certificates` has the signer
// first. No system store and no default path is looked at.
//   Fails  REFUSED with CERTIFICATE_USAGE, CERTIFICATE_IS_CA, WEAK_KEY,
//          CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID or CERTIFICATE_UNTRUSTED.
Result<std::vector<CertificateFacts>> VerifyChain(
    const Crypto& crypto, const Certificate& anchor,
    std::span<const Certificate> certificates, int64_t now);

// Whether the signer made this signature over exactly these bytes. The algorithm follows
// from the key.
//   Fails  REFUSED with SIGNATURE.
Status VerifyMessage(const Crypto& crypto, const Certificate& signer,
                     std::string_view message, std::span<const std::byte> signature);

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_CHAIN_H_
