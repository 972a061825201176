// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ADMIT_POLICY_H_
#define ALLOY_SRC_ADMIT_POLICY_H_

#include <cstdint>
#include <string>

namespace alloy::core {

// What a host demands of one library.
struct Policy {
  std::string library;      // the path of the file
  std::string certificate;  // base64 of one DER certificate; empty: none is given
  std::string sidecar;      // the path of the signature file; empty: <library>.alloysig
  bool allows_unsigned = false;  // whether a library may be loaded without a certificate
  std::string name;              // of the backend; empty: any
  uint64_t min_sequence = 0;     // of the signed statement
  // That the file must have, as 64 digits in lower case; empty: any.
  std::string sha256;
  // Whether the process that loads the library takes a Go runtime: only one that serves
  // nothing else may.
  bool allows_go_runtime = false;
  int64_t now = 0;  // seconds since 1970
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_POLICY_H_
