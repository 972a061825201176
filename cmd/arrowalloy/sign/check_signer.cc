// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <chrono>
#include <ctime>
#include <string>
#include <string_view>

#include "../base/failure.h"
#include "../base/time_text.h"
#include "crypto.h"
#include "openssl.h"

namespace arrowalloy {
namespace {

constexpr char kMakeKey[] = "arrowalloy keygen --out dev";

Failure BadSigner(const std::string& path, const std::string& why,
                  const std::string& help) {
  return Failure(
      Exit::kUsage, kSignerCode,
      fmt::format("the certificate {} {}; hosts refuse its signatures", path, why), path,
      help);
}

bool IsStrongEnough(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return true;
  if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1) {
    return EVP_PKEY_get_bits(key) >= 3072;
  }
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1)
    return false;
  const std::string_view name(group.data());
  return name == "prime256v1" || name == "secp384r1";
}

// Not by timegm or a comparison of OpenSSL: both obey the leap seconds of a file that the
// environment names.
Seconds TimeOf(const ASN1_TIME* time) {
  tm parts{};
  Must(ASN1_TIME_to_tm(time, &parts) == 1, "cannot read a time");
  const std::chrono::year_month_day date{
      std::chrono::year(parts.tm_year + 1900),
      std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
      std::chrono::day(static_cast<unsigned>(parts.tm_mday))};
  return std::chrono::sys_days(date) + std::chrono::hours(parts.tm_hour) +
         std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec);
}

}  // namespace

void CheckSigner(const Certificate& certificate, const std::string& path, const Key& key,
                 Seconds now) {
  X509* x509 = certificate.get();
  const EVP_PKEY* own = X509_get0_pubkey(x509);
  const uint32_t flags = X509_get_extension_flags(x509);
  if (own == nullptr || (flags & EXFLAG_INVALID) != 0) {
    throw BadSigner(path, "is malformed", kMakeKey);
  }
  if (!IsStrongEnough(own)) {
    throw BadSigner(path,
                    fmt::format("has a weak key: expected Ed25519, P-256, P-384, or RSA "
                                "of 3072 bits or more, found {}",
                                KeyText(own)),
                    kMakeKey);
  }
  if ((flags & EXFLAG_CA) != 0) {
    throw BadSigner(path, "belongs to an authority (CA:TRUE), not to a signer", kMakeKey);
  }
  if ((flags & EXFLAG_BCONS) == 0 || (flags & EXFLAG_KUSAGE) == 0 ||
      (X509_get_key_usage(x509) & KU_DIGITAL_SIGNATURE) == 0 ||
      (flags & EXFLAG_XKUSAGE) == 0 ||
      (X509_get_extended_key_usage(x509) & XKU_CODE_SIGN) == 0) {
    throw BadSigner(
        path,
        "is not made for signing code (it needs CA:FALSE, digitalSignature and "
        "codeSigning)",
        "arrowalloy keygen --out dev --csr requests all three of an authority");
  }
  if (TimeOf(X509_get0_notBefore(x509)) > now) {
    throw BadSigner(path, "is not valid yet", "check the clock of this machine: date -u");
  }
  if (NotAfter(certificate) <= now) {
    throw BadSigner(path, fmt::format("expired at {}", TimeText(NotAfter(certificate))),
                    kMakeKey);
  }
  if (X509_check_private_key(x509, key.get()) != 1) {
    ERR_clear_error();
    throw Failure(
        Exit::kUsage, kKeyCode,
        fmt::format("--key is not the key of the certificate {} (--key is {}, the "
                    "certificate has {})",
                    path, KeyText(key.get()), KeyText(own)),
        path,
        "pass a key and a certificate that belong together, such as dev.key and dev.crt");
  }
}

bool Issued(const Certificate& issuer, const Certificate& certificate) {
  return X509_check_issued(issuer.get(), certificate.get()) == X509_V_OK &&
         X509_verify(certificate.get(), X509_get0_pubkey(issuer.get())) == 1;
}

std::string SubjectOf(const Certificate& certificate) {
  const Bio bio = Memory();
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate.get()), 0,
                     XN_FLAG_RFC2253);
  return TakeText(bio);
}

Seconds NotAfter(const Certificate& certificate) {
  return TimeOf(X509_get0_notAfter(certificate.get()));
}

}  // namespace arrowalloy
