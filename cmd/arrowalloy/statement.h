// SPDX-License-Identifier: MIT
//
// The sidecar `<library>.alloysig`: what docs/signing.md says, written.
#ifndef ARROWALLOY_STATEMENT_H_
#define ARROWALLOY_STATEMENT_H_

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
  std::string file;                 // the name alone
  std::vector<std::string> needed;  // any order
};

// The platform that this program, and so what it links and loads, is made for.
std::string_view ThisPlatform();

// Exactly the bytes that are signed.
//   Throws  E0203 for a field that the engine would not take.
std::string StatementText(const Statement& statement);

// The file: message, signature, certificates, the signer's first.
std::string SidecarText(const std::string& message, std::string_view signature,
                        const std::vector<std::string>& certificates);

}  // namespace arrowalloy

#endif  // ARROWALLOY_STATEMENT_H_
