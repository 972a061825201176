// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "../base/failure.h"
#include "../base/time_text.h"
#include "crypto.h"
#include "openssl.h"

namespace arrowalloy {
namespace {

using Extensions =
    std::unique_ptr<STACK_OF(X509_EXTENSION), Deleter<[](STACK_OF(X509_EXTENSION)* list) {
                      sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
                    }>>;

// The extensions that the engine requires in a signer's certificate.
constexpr std::array<std::pair<int, const char*>, 3> kSignerExtensions = {
    {{NID_basic_constraints, "critical,CA:FALSE"},
     {NID_key_usage, "critical,digitalSignature"},
     {NID_ext_key_usage, "codeSigning"}}};

void AddExtension(X509* certificate, X509V3_CTX* context, int kind, const char* value) {
  const std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> extension(
      Must(X509V3_EXT_conf_nid(nullptr, context, kind, value),
           "cannot make a certificate extension"));
  Must(X509_add_ext(certificate, extension.get(), -1),
       "cannot make a certificate extension");
}

void SetName(X509_NAME* name, const std::string& common_name) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(common_name.data());
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes,
                                 static_cast<int>(common_name.size()), -1, 0) != 1) {
    ERR_clear_error();
    throw Failure(
        Exit::kUsage, kSignerCode,
        fmt::format("--subject has {} bytes; expected 1 to 64 characters of UTF-8",
                    common_name.size()),
        "--subject", "write it as: --subject \"Acme build\"");
  }
}

// As text: OpenSSL's own clock obeys the leap seconds of a file that the environment names.
void SetTime(ASN1_TIME* place, Seconds time) {
  std::string text = TimeText(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'T'; });
  Must(ASN1_TIME_set_string_X509(place, text.c_str()) == 1, "cannot set a time");
}

}  // namespace

Certificate SelfSign(const Key& key, const Subject& subject) {
  Certificate certificate(Must(X509_new(), "cannot make a certificate"));
  X509* x509 = certificate.get();
  std::array<unsigned char, 16> serial{};
  Must(RAND_bytes(serial.data(), serial.size()) == 1, "cannot get a random number");
  serial[0] =
      static_cast<unsigned char>((serial[0] & 0x7fU) | 0x40U);  // positive, and 16 bytes
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> number(Must(
      BN_bin2bn(serial.data(), serial.size(), nullptr), "cannot make a serial number"));
  Must(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)),
       "cannot make a serial number");
  Must(X509_set_version(x509, X509_VERSION_3), "cannot make a certificate");
  SetTime(X509_getm_notBefore(x509), Now());
  SetTime(X509_getm_notAfter(x509), Now() + std::chrono::days(subject.days));
  Must(X509_set_pubkey(x509, key.get()), "cannot make a certificate");
  SetName(X509_get_subject_name(x509), subject.common_name);
  Must(X509_set_issuer_name(x509, X509_get_subject_name(x509)),
       "cannot make a certificate");
  X509V3_CTX context;
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  for (const auto& [kind, value] : kSignerExtensions) {
    AddExtension(x509, &context, kind, value);
  }
  AddExtension(x509, &context, NID_subject_key_identifier, "hash");
  AddExtension(x509, &context, NID_authority_key_identifier, "keyid:always");
  Must(X509_sign(x509, key.get(), DigestOf(key.get())), "cannot sign a certificate");
  return certificate;
}

std::string MakeRequest(const Key& key, const Subject& subject) {
  const std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>> request(
      Must(X509_REQ_new(), "cannot make a request"));
  SetName(X509_REQ_get_subject_name(request.get()), subject.common_name);
  Must(X509_REQ_set_pubkey(request.get(), key.get()), "cannot make a request");
  X509V3_CTX context;
  X509V3_set_ctx(&context, nullptr, nullptr, request.get(), nullptr, 0);
  const Extensions extensions(
      Must(sk_X509_EXTENSION_new_null(), "cannot make a request"));
  for (const auto& [kind, value] : kSignerExtensions) {
    sk_X509_EXTENSION_push(extensions.get(),
                           Must(X509V3_EXT_conf_nid(nullptr, &context, kind, value),
                                "cannot make an extension"));
  }
  Must(X509_REQ_add_extensions(request.get(), extensions.get()), "cannot make a request");
  Must(X509_REQ_sign(request.get(), key.get(), DigestOf(key.get())),
       "cannot sign a request");
  const Bio bio = Memory();
  Must(PEM_write_bio_X509_REQ(bio.get(), request.get()), "cannot make a request");
  return TakeText(bio);
}

}  // namespace arrowalloy
