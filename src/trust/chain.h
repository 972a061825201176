// SPDX-License-Identifier: MIT
//
// Checks that a signer may sign code, and that its certificate chains to the only one that
// the host trusts.
#ifndef ALLOY_SRC_TRUST_CHAIN_H_
#define ALLOY_SRC_TRUST_CHAIN_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "trust/certificate.h"

namespace alloy::core {

// Verify the chain at the time `now`. Gives its facts: the signer first, the anchor last;
// only the signer if the anchor is its own certificate (pinned). `certificates` has the
// signer first. No system store and no default path is read.
//   Fails  REFUSED with CERTIFICATE_USAGE, CERTIFICATE_IS_CA, WEAK_KEY,
//          CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID or CERTIFICATE_UNTRUSTED.
Result<std::vector<CertificateFacts>> VerifyChain(
    const Crypto& crypto, const Certificate& anchor,
    std::span<const Certificate> certificates, int64_t now);

// Verify that the signer made this signature over exactly these bytes. The key determines
// the algorithm.
//   Fails  REFUSED with SIGNATURE.
Status VerifyMessage(const Crypto& crypto, const Certificate& signer,
                     std::string_view message, std::span<const std::byte> signature);

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_CHAIN_H_
