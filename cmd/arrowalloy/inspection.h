// SPDX-License-Identifier: MIT
//
// What the engine knows of a library without running any of it: alloy_inspect's answer.
#ifndef ARROWALLOY_INSPECTION_H_
#define ARROWALLOY_INSPECTION_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "loading.h"

namespace arrowalloy {

// With a certificate the verdict is that of a load; without one it is about the form of
// the library alone.
//   Throws  the engine's error when the file cannot be read.
nlohmann::ordered_json Inspect(const std::string& library, const Loading& loading,
                               bool allow_unsigned);

// The certificate of a command line: base64, or @FILE with PEM, DER or base64.
//   Throws  E0101, E0202.
std::string CertificateArgument(const std::string& argument);

// What goes wrong in 30 days, whoever the signer is; empty: nothing.
std::string EndsSoon(const nlohmann::ordered_json& inspection);

}  // namespace arrowalloy

#endif  // ARROWALLOY_INSPECTION_H_
