// SPDX-License-Identifier: MIT
//
// Compares a verified statement with a file, with its backend's table, and with what the
// host demands. `library` is the path of the file, for the commands in error texts.
#ifndef ALLOY_SRC_ADMIT_CHECK_STATEMENT_H_
#define ALLOY_SRC_ADMIT_CHECK_STATEMENT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "admit/policy.h"
#include "trust/crypto.h"
#include "trust/sidecar.h"

namespace alloy::core {

#if defined(__aarch64__)
inline constexpr std::string_view kThisPlatform = "linux-aarch64-gnu";
#else
inline constexpr std::string_view kThisPlatform = "linux-x86_64-gnu";
#endif

// Compare what can be compared before a byte of the file is read.
//   Fails  REFUSED with SIZE, KIND, STATEMENT_ABI, PLATFORM, NAME, STATEMENT_EXPIRED,
//          STATEMENT_NOT_YET_VALID or ROLLBACK; the text has both values.
Status CheckStatement(const Statement& statement, int64_t file_size,
                      const Policy& policy);

// Compare the digest of the file, in hex, with the signed one.
//   Fails  REFUSED with DIGEST.
Status CheckSignedDigest(const Crypto& crypto, const Statement& statement,
                         std::string_view sha256, const std::string& library);

// Compare the digest of the file, in hex, with the one that the host asks for.
//   Fails  REFUSED with DIGEST.
Status CheckWantedDigest(std::string_view wanted, std::string_view sha256);

// Compare the SONAMEs that the library needs with the signed ones. `needed` in any order.
//   Fails  REFUSED with NEEDED.
Status CheckSignedNeeds(const Statement& statement, std::vector<std::string> needed,
                        const std::string& library);

// Compare the table of the loaded backend with the signed values.
//   Fails  REFUSED with STATEMENT_TABLE.
Status CheckSignedTable(const Statement& statement, std::string_view name,
                        std::string_view version, uint32_t abi);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_CHECK_STATEMENT_H_
