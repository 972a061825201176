// SPDX-License-Identifier: MIT
//
// What the engine knows about a library without running any of it: the JSON of
// alloy_inspect. The engine reads the file once for each answer.
#ifndef ARROWALLOY_INSPECT_INSPECTION_H_
#define ARROWALLOY_INSPECT_INSPECTION_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "loading.h"

namespace arrowalloy {

// The members of the JSON that describe the bytes of the file.
struct LibraryFacts {
  int64_t size = 0;
  std::string sha256;  // 64 hexadecimal digits
  std::vector<std::string>
      needed;  // SONAMEs in the order of the file; none for an archive
  bool is_archive = false;
  bool has_go_runtime = false;  // so it can only run isolated
};

// Inspect a library. With a certificate the verdict is the one of a load. Without one it
// is only about the form of the library.
//   Throws  the engine's error when the file cannot be read.
nlohmann::ordered_json Inspect(const std::string& library, const Loading& loading,
                               bool allow_unsigned);

// Whether a host would load the library, if need be isolated: a library with a Go runtime is
// refused in the process of the host only.
bool IsLoadable(const nlohmann::ordered_json& inspection);

// Inspect an unsigned library and return the facts of exactly the bytes that were
// inspected.
//   Throws  the engine's error when the file cannot be read, or when no host would load a
//           library of this form. A library that needs more than runtimes is not refused:
//           each host decides about that. One with a Go runtime is not refused either: it
//           runs isolated. E0301 without libcrypto.
LibraryFacts InspectForm(const std::string& library);

// The certificate argument of a command line: base64, or @FILE with PEM, DER or base64.
//   Throws  E0101, E0202.
std::string CertificateArgument(const std::string& argument);

// A warning when the signer's certificate ends within 30 days; otherwise empty.
std::string EndsSoon(const nlohmann::ordered_json& inspection);

}  // namespace arrowalloy

#endif  // ARROWALLOY_INSPECT_INSPECTION_H_
