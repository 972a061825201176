// SPDX-License-Identifier: MIT
//
// The file next to a library, `<library>.alloysig`: a statement, its signature, and the
// certificates of the signer. These functions only parse; they verify nothing.
//
//     alloy-statement-v1
//     kind: backend
//     …
//     end
//     -----BEGIN ALLOY SIGNATURE-----
//     <base64, 64 columns>
//     -----END ALLOY SIGNATURE-----
//     -----BEGIN CERTIFICATE-----        1 to 4 of them, the signer's first
//     …
//
// Everything before the line BEGIN ALLOY SIGNATURE is signed. SplitSidecar does not parse
// it; ParseStatement does, after its signature is verified.
#ifndef ALLOY_SRC_TRUST_SIDECAR_H_
#define ALLOY_SRC_TRUST_SIDECAR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace alloy::core {

inline constexpr size_t kMaxSidecar = size_t{64} << 10U;

struct Sidecar {
  std::string_view message;  // Borrows: into the bytes that were split
  std::vector<std::byte> signature;
  std::vector<std::vector<std::byte>> certificates;  // DER
};

//   Fails  REFUSED with SIDECAR_MALFORMED, or CERTIFICATE_UNTRUSTED for more certificates
//          than a chain may have.
Result<Sidecar> SplitSidecar(std::string_view bytes);

struct Statement {
  std::string kind, name, version;
  uint64_t sequence = 0;
  uint32_t abi = 0;
  std::string platform;
  int64_t not_before = 0, not_after = 0;  // seconds since 1970
  int64_t size = 0;
  std::string sha256;               // 64 digits, lower case
  std::string file;                 // the library's name when it was signed; only a hint
  std::vector<std::string> needed;  // sorted, each once
};

// Parse a statement: fixed keys in a fixed order, only printable ASCII and line feeds.
//   Fails  REFUSED with SIDECAR_MALFORMED; the text names line and field.
Result<Statement> ParseStatement(std::string_view message);

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_SIDECAR_H_
