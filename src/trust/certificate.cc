// SPDX-License-Identifier: MIT
#include "trust/certificate.h"

#include <array>
#include <chrono>
#include <ctime>

#include "trust/base64.h"
#include "trust/der.h"

namespace alloy::core {
namespace {

constexpr size_t kMaxDer = size_t{16} << 10U;
constexpr size_t kMaxArgument = (kMaxDer + 2) / 3 * 4;
constexpr std::string_view kMakeArgument =
    "; `arrowalloy cert-base64 FILE` prints the right line";

Status BadDer(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_CERTIFICATE_DER, std::move(text));
}

Status BadBase64(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_CERTIFICATE_BASE64,
              "the certificate " + std::move(text).append(kMakeArgument));
}

std::string NameText(const Libcrypto& c, const X509_name_st* name) {
  const std::unique_ptr<bio_st, int (*)(bio_st*)> bio(c.BIO_new(c.BIO_s_mem()),
                                                      c.BIO_free);
  if (bio == nullptr || c.X509_NAME_print_ex(bio.get(), name, 0, kNameRfc2253) < 0) {
    return "(a name that cannot be read)";
  }
  std::array<char, 256> text;
  const int length = c.BIO_read(bio.get(), text.data(), static_cast<int>(text.size()));
  return length > 0 ? std::string(text.data(), static_cast<size_t>(length)) : "(no name)";
}

bool ReadTime(const Libcrypto& c, const asn1_string_st* time, int64_t* out) {
  tm parts{};
  if (c.ASN1_TIME_to_tm(time, &parts) != 1) return false;
  const std::chrono::year_month_day date{
      std::chrono::year(parts.tm_year + 1900),
      std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
      std::chrono::day(static_cast<unsigned>(parts.tm_mday))};
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  *out = ((days * 24 + parts.tm_hour) * 60 + parts.tm_min) * 60 + parts.tm_sec;
  return true;
}

void DescribeEcKey(const Libcrypto& c, const evp_pkey_st* key, CertificateFacts* facts) {
  std::array<char, 64> group{};
  size_t length = 0;
  if (c.EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1) {
    facts->key = "ec";
    return;
  }
  const std::string_view name(group.data(), length);
  facts->key = "ec " + std::string(name);
  if (name == "prime256v1") facts->key_kind = KeyKind::kP256;
  if (name == "secp384r1") facts->key_kind = KeyKind::kP384;
}

void DescribeKey(const Libcrypto& c, const evp_pkey_st* key, CertificateFacts* facts) {
  const int bits = c.EVP_PKEY_get_bits(key);
  if (c.EVP_PKEY_is_a(key, "ED25519") == 1) {
    facts->key = "ed25519";
    facts->key_kind = KeyKind::kEd25519;
  } else if (c.EVP_PKEY_is_a(key, "EC") == 1) {
    DescribeEcKey(c, key, facts);
  } else if (c.EVP_PKEY_is_a(key, "RSA") == 1 || c.EVP_PKEY_is_a(key, "RSA-PSS") == 1) {
    facts->key = "rsa " + std::to_string(bits);
    if (bits >= 3072) facts->key_kind = KeyKind::kRsaPss;
  } else {
    facts->key = "another kind of " + std::to_string(bits) + " bits";
  }
}

Result<CertificateFacts> FactsOf(const Crypto& crypto, x509_st* x509,
                                 std::span<const std::byte> der) {
  const Libcrypto& c = crypto.functions();
  CertificateFacts facts;
  facts.subject = NameText(c, c.X509_get_subject_name(x509));
  facts.issuer = NameText(c, c.X509_get_issuer_name(x509));
  const evp_pkey_st* key = c.X509_get0_pubkey(x509);
  if (key == nullptr) return BadDer("holds a public key that cannot be read");
  DescribeKey(c, key, &facts);
  if (!ReadTime(c, c.X509_get0_notBefore(x509), &facts.not_before) ||
      !ReadTime(c, c.X509_get0_notAfter(x509), &facts.not_after)) {
    return BadDer("has a time of validity that cannot be read");
  }
  const uint32_t flags = c.X509_get_extension_flags(x509);
  facts.has_constraints = (flags & kExtensionConstraints) != 0;
  facts.is_ca = (flags & kExtensionCa) != 0;
  ALLOY_ASSIGN_OR_RETURN(const Digest digest, crypto.Sha256(der));
  facts.sha256 = HexText(digest);
  return facts;
}

}  // namespace

Result<Certificate> Certificate::FromDer(const Crypto& crypto,
                                         std::span<const std::byte> der) {
  const QuietErrors quiet(crypto);
  const Libcrypto& c = crypto.functions();
  if (der.size() > kMaxDer) {
    return BadDer("has " + std::to_string(der.size()) + " bytes; at most 16,384");
  }
  if (const DerVerdict verdict = CheckCertificateDer(der);
      verdict.fault == DerFault::kCurve) {
    return Fail(
        ALLOY_REFUSED, ALLOY_REASON_WEAK_KEY,
        "has a key that " + verdict.text + "; name the curve: prime256v1 or secp384r1");
  } else if (verdict.fault == DerFault::kEncoding) {
    return BadDer(verdict.text);
  }
  // On failure libcrypto frees what it was given, and says so by NULL.
  x509_st* x509 = c.X509_new_ex(crypto.context(), nullptr);
  if (x509 == nullptr)
    return Fail(ALLOY_EXHAUSTED, "out of memory while reading a certificate");
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* end = at + der.size();
  if (c.d2i_X509(&x509, &at, static_cast<long>(der.size())) == nullptr) {
    return BadDer(kNoCertificate);
  }
  Certificate certificate(Held<x509_st>(x509, c.X509_free));
  if (at != end) return BadDer("is followed by other bytes");
  if ((c.X509_get_extension_flags(x509) & kExtensionInvalid) != 0) {
    return BadDer("has malformed extensions");
  }
  ALLOY_ASSIGN_OR_RETURN(certificate.facts_, FactsOf(crypto, x509, der));
  return certificate;
}

Result<Certificate> ParseCertificateArgument(const Crypto& crypto,
                                             std::string_view argument) {
  if (argument.size() > kMaxArgument) {
    return BadBase64("has " + std::to_string(argument.size()) + " characters; at most " +
                     std::to_string(kMaxArgument));
  }
  if (argument.starts_with("-----BEGIN")) return BadBase64("is PEM, not base64 of DER");
  std::vector<std::byte> der;
  if (const std::string fault = DecodeBase64(argument, &der); !fault.empty()) {
    return BadBase64("is not strict base64: " + fault);
  }
  auto certificate = Certificate::FromDer(crypto, der);
  if (certificate.ok() || certificate.status().code() != ALLOY_REFUSED)
    return certificate;
  std::string text = "the certificate " + certificate.status().fault().text;
  if (certificate.status().reason() == ALLOY_REASON_CERTIFICATE_DER)
    text += kMakeArgument;
  return Fail(ALLOY_REFUSED, certificate.status().reason(), std::move(text));
}

}  // namespace alloy::core
