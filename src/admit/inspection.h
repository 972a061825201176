// SPDX-License-Identifier: MIT
//
// What the steps of an admission learn about a file.
#ifndef ALLOY_SRC_ADMIT_INSPECTION_H_
#define ALLOY_SRC_ADMIT_INSPECTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "admit/elf.h"
#include "admit/json.h"
#include "trust/certificate.h"
#include "trust/sidecar.h"

namespace alloy::core {

struct Inspection {
  std::string library;  // its path
  int64_t size = 0;
  bool is_archive = false;
  std::string sha256;   // in hex; empty: without libcrypto, or not computed
  std::string sidecar;  // its path; empty: there is none that can be read
  // What the sidecar claims, true or not; none where it is malformed. A load leaves these
  // two empty.
  std::optional<Statement> statement;
  std::vector<CertificateFacts> certificates;  // the signer's first
  // Whether the signature is valid, and the signer leads to the given certificate.
  bool trusted = false;
  std::vector<std::string> warnings;
  ElfFindings elf;                       // of a library, or of what was linked
  std::vector<std::string> not_allowed;  // of what it needs
  Status verdict;                        // the first fault
};

// The JSON that alloy.h documents for alloy_inspect.
std::string AsJson(const Inspection& found);
// The member "signer" of it.
void WriteCertificate(JsonWriter& json, const CertificateFacts& facts);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_INSPECTION_H_
