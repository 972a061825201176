// SPDX-License-Identifier: MIT
//
// All that can be known of a library without running any of it, and the verdict that a
// load would come to.
#ifndef ALLOY_SRC_ADMIT_INSPECT_H_
#define ALLOY_SRC_ADMIT_INSPECT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "admit/admit.h"

namespace alloy::core {

struct Inspection {
  std::string library;  // its path
  int64_t size = 0;
  bool is_archive = false;       // it is walked, not linked
  std::optional<Digest> digest;  // none without libcrypto
  std::string sidecar;           // its path; empty: there is none that can be read
  // What the sidecar says, believed or not; none where it is malformed.
  std::optional<Statement> statement;
  std::vector<CertificateFacts> certificates;  // of the sidecar, the signer's first
  // Whether the signature holds, and leads to the certificate that was given.
  bool trusted = false;
  std::vector<std::string> warnings;
  ElfFindings elf;
  // Of what it needs: what the host does not allow. Host and list are for the caller to
  // ask, who then has the last word on the verdict.
  std::vector<std::string> not_allowed;
  Status verdict;
};

// Up to what the host allows to be needed. Borrows nothing for longer than the call.
//   Fails  REFUSED with a reason of 3001 to 3006: the file cannot be read.
Result<Inspection> Inspect(const std::string& path, const Admission& admission,
                           bool allows_unsigned, LibcryptoSource& libcrypto);

// As alloy.h documents it for alloy_inspect.
std::string AsJson(const Inspection& found);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_INSPECT_H_
