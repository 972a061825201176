// SPDX-License-Identifier: MIT
//
// Strict DER: whether bytes are the only encoding of what they hold. libcrypto reads other
// encodings too, so one certificate could have many fingerprints, and it follows the
// parameters of a curve that a certificate spells out. This check comes before libcrypto
// sees a byte.
//
// Source: ITU-T X.690, sections 8, 10 and 11; RFC 5280, section 4.1.
#ifndef ALLOY_SRC_TRUST_DER_H_
#define ALLOY_SRC_TRUST_DER_H_

#include <cstddef>
#include <span>
#include <string>

namespace alloy::core {

// Whether these bytes are one value in DER, and nothing more. Gives what is wrong; empty:
// nothing. The time is in proportion to the size.
std::string CheckDer(std::span<const std::byte> bytes);

// What is wrong with bytes that hold something else.
inline constexpr const char* kNoCertificate =
    "is not an X.509 certificate, but for example a key, a request or a list";

enum class DerFault { kNone, kEncoding, kCurve };
struct DerVerdict {
  DerFault fault = DerFault::kNone;
  std::string text;  // what is wrong
};

// Whether these bytes are one X.509 certificate in DER, with the extensions that trust
// uses, each at most once, and its key. An elliptic curve must be named (kCurve).
DerVerdict CheckCertificateDer(std::span<const std::byte> bytes);

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_DER_H_
