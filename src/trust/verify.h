// SPDX-License-Identifier: MIT
//
// From bytes to a verdict: what the sidecar of a library says, and whether the host may
// believe it. No I/O, no clock, no state.
#ifndef ALLOY_SRC_TRUST_VERIFY_H_
#define ALLOY_SRC_TRUST_VERIFY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trust/certificate.h"
#include "trust/sidecar.h"

namespace alloy::core {

#if defined(__aarch64__)
inline constexpr std::string_view kThisPlatform = "linux-aarch64-gnu";
#else
inline constexpr std::string_view kThisPlatform = "linux-x86_64-gnu";
#endif

// A statement whose signature holds.
struct Verified {
  Statement statement;
  std::vector<CertificateFacts> chain;  // the signer first, the anchor last

  const CertificateFacts& signer() const { return chain.front(); }
  // The certificate of the chain that ends first.
  const CertificateFacts& first_to_end() const;
};

// What a host demands of a statement.
struct Policy {
  std::string library;  // its path, for the commands in texts
  std::string name;     // of the backend; empty: any
  uint64_t min_sequence = 0;
  int64_t now = 0;  // seconds since 1970
};

// Chain, then signature; the statement is read when both hold.
//   Fails  REFUSED with a reason of SplitSidecar, VerifyChain, VerifyMessage or
//          ParseStatement, or CERTIFICATE_DER for a certificate of the sidecar.
Result<Verified> VerifySidecar(const Crypto& crypto, const Certificate& anchor,
                               std::string_view sidecar, int64_t now);

// Whether a verified statement is about a file of this size, and one that this host wants
// now.
//   Fails  REFUSED with SIZE, KIND, STATEMENT_ABI, PLATFORM, NAME, STATEMENT_EXPIRED,
//          STATEMENT_NOT_YET_VALID or ROLLBACK; the text has both values.
Status CheckStatement(const Statement& statement, int64_t file_size,
                      const Policy& policy);

// Whether the digest of the bytes at hand is the one that was signed.
//   Fails  REFUSED with DIGEST.
Status CheckDigest(const Crypto& crypto, const Statement& statement, const Digest& digest,
                   const Policy& policy);

// Whether a library needs what was signed, and nothing else. `needed` in any order.
//   Fails  REFUSED with NEEDED.
Status CheckNeeded(const Statement& statement, std::vector<std::string> needed,
                   const Policy& policy);

// Whether the table that the loaded library gave is the one that the statement speaks of.
//   Fails  REFUSED with STATEMENT_TABLE.
Status CheckTable(const Statement& statement, std::string_view name,
                  std::string_view version, uint32_t abi);

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_VERIFY_H_
