// SPDX-License-Identifier: MIT
#include "crypto.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "../base/failure.h"
#include "openssl.h"

namespace arrowalloy {

std::string OpensslText() {
  std::array<char, 256> text{};
  const unsigned long error = ERR_peek_last_error();
  if (error == 0) return "OpenSSL gives no reason";
  ERR_error_string_n(error, text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

std::string TakeText(const Bio& bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(length));
}

Bio Memory() { return Bio(Must(BIO_new(BIO_s_mem()), "no memory")); }

Bio Over(std::string_view text) {
  return Bio(
      Must(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "no memory"));
}

const EVP_MD* DigestOf(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return nullptr;
  if (EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == 384) return EVP_sha384();
  return EVP_sha256();
}

void FreeKey::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
void FreeCertificate::operator()(X509* certificate) const { X509_free(certificate); }

// A configuration file, which an environment variable may name, can load modules into this
// process. OpenSSL reads it at its first use, unless this comes before.
void ReadNoConfiguration() { OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr); }

Key MakeKey(const std::string& type) {
  ReadNoConfiguration();
  return Key(Must(type == "p256" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                                 : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"),
                  "cannot make a key"));
}

std::string ToPem(const Key& key) {
  const Bio bio = Memory();
  Must(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                     nullptr),
       "cannot write a key");
  return TakeText(bio);
}

std::string ToPem(const Certificate& certificate) {
  const Bio bio = Memory();
  Must(PEM_write_bio_X509(bio.get(), certificate.get()), "cannot write a certificate");
  return TakeText(bio);
}

std::string ToBase64(const Certificate& certificate) {
  const Bio bio = Memory();
  Must(i2d_X509_bio(bio.get(), certificate.get()), "cannot encode a certificate");
  return EncodeBase64(TakeText(bio));
}

std::string KeyText(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return "ed25519";
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1) {
    return fmt::format("ec {}", group.data());
  }
  const char* name = EVP_PKEY_get0_type_name(key);
  std::string kind = name == nullptr ? "unknown" : name;
  std::ranges::transform(kind, kind.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  });
  return fmt::format("{} {}", kind, EVP_PKEY_get_bits(key));
}

std::string Sign(const Key& key, std::string_view message) {
  const std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>> context(
      Must(EVP_MD_CTX_new(), "no memory"));
  EVP_PKEY_CTX* options = nullptr;  // the context's
  Must(EVP_DigestSignInit(context.get(), &options, DigestOf(key.get()), nullptr,
                          key.get()) == 1,
       "cannot sign");
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1 || EVP_PKEY_is_a(key.get(), "RSA-PSS") == 1) {
    Must(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1,
         "cannot sign");
    Must(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1,
         "cannot sign");
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  size_t length = 0;
  Must(EVP_DigestSign(context.get(), nullptr, &length, bytes, message.size()) == 1,
       "cannot sign");
  std::string signature(length, '\0');
  Must(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                      &length, bytes, message.size()) == 1,
       "cannot sign");
  signature.resize(length);
  return signature;
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

}  // namespace arrowalloy
