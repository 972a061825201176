// SPDX-License-Identifier: MIT
//
// The signature file `<library>.alloysig`, in the format of docs/signing.md.
#ifndef ARROWALLOY_SIGN_STATEMENT_H_
#define ARROWALLOY_SIGN_STATEMENT_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto.h"

namespace arrowalloy {

struct Statement {
  std::string name, version;
  int64_t sequence = 0;
  std::chrono::sys_seconds not_before, not_after;
  int64_t size = 0;
  std::string sha256;               // 64 digits
  std::string file;                 // the name without a folder
  std::vector<std::string> needed;  // any order
};

// The platform of this program, and of the libraries that it links and loads.
std::string_view ThisPlatform();

// The bytes that are signed.
//   Throws  E0203 for a field that the engine would refuse.
std::string StatementText(const Statement& statement);

// The whole file: message, signature, certificates in base64, the signer's first.
std::string SidecarText(const std::string& message, std::string_view signature,
                        const std::vector<std::string>& certificates);

}  // namespace arrowalloy

#endif  // ARROWALLOY_SIGN_STATEMENT_H_
