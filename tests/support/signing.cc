// SPDX-License-Identifier: MIT
#include "tests/support/signing.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

namespace signing {
namespace {

// A test cannot continue without its keys.
template <typename T>
T Must(T value, const char* what) {
  if (!value) {
    std::fprintf(stderr, "signing: %s failed\n", what);
    ERR_print_errors_fp(stderr);
    std::abort();
  }
  return value;
}

EVP_PKEY* MakeKey(std::string_view type) {
  if (type == "ed25519") return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  const size_t colon = type.find(':');
  if (colon == type.npos) {
    return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", std::string(type).c_str());
  }
  const int bits = std::atoi(std::string(type.substr(colon + 1)).c_str());
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(
      nullptr, type.starts_with("rsa-pss") ? "RSA-PSS" : "RSA", nullptr);
  EVP_PKEY* key = nullptr;
  Must(EVP_PKEY_keygen_init(context) == 1, "keygen");
  Must(EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) == 1, "bits");
  Must(EVP_PKEY_keygen(context, &key) == 1, "keygen");
  EVP_PKEY_CTX_free(context);
  return key;
}

const EVP_MD* DigestOf(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519")) return nullptr;
  return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == 384 ? EVP_sha384()
                                                                   : EVP_sha256();
}

void Extend(X509* x509, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  X509_EXTENSION* extension =
      Must(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), value.c_str());
  Must(X509_add_ext(x509, extension, -1) == 1, "extension");
  X509_EXTENSION_free(extension);
}

}  // namespace

Key::Key(std::string_view type) : key_(Must(MakeKey(type), "key"), EVP_PKEY_free) {}

const Key& SharedKey(const std::string& type) {
  static std::map<std::string, Key> keys;
  return keys.try_emplace(type, type).first->second;
}

std::string Key::Sign(std::string_view message) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* inner = nullptr;
  Must(EVP_DigestSignInit(context, &inner, DigestOf(get()), nullptr, get()) == 1, "sign");
  if (EVP_PKEY_is_a(get(), "RSA") || EVP_PKEY_is_a(get(), "RSA-PSS")) {
    Must(EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING) == 1, "pss");
    Must(EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, RSA_PSS_SALTLEN_DIGEST) == 1, "salt");
  }
  const auto* data = reinterpret_cast<const unsigned char*>(message.data());
  size_t size = 0;
  Must(EVP_DigestSign(context, nullptr, &size, data, message.size()) == 1, "sign");
  std::string signature(size, '\0');
  Must(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                      data, message.size()) == 1,
       "sign");
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return signature;
}

CertificateSpec AuthoritySpec(std::string name) {
  return {.name = std::move(name),
          .constraints = "critical,CA:TRUE",
          .usage = "critical,keyCertSign,cRLSign",
          .extended = ""};
}

Cert::Cert(const CertificateSpec& spec, const Key& key, const Cert* issuer,
           const Key* issuer_key)
    : x509_(Must(X509_new(), "certificate"), X509_free) {
  X509* x509 = x509_.get();
  int64_t serial = spec.serial;
  if (serial == 0) {
    Must(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), 7) == 1, "serial");
  }
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(x509), serial);
  ASN1_TIME_set(X509_getm_notBefore(x509), spec.not_before);
  ASN1_TIME_set(X509_getm_notAfter(x509), spec.not_after);
  X509_NAME* name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(spec.name.data()),
                             static_cast<int>(spec.name.size()), -1, 0);
  X509* parent = issuer != nullptr ? issuer->get() : x509;
  X509_set_issuer_name(x509, X509_get_subject_name(parent));
  Must(X509_set_pubkey(x509, key.get()) == 1, "public key");
  Extend(x509, parent, NID_basic_constraints, spec.constraints);
  Extend(x509, parent, NID_key_usage, spec.usage);
  Extend(x509, parent, NID_ext_key_usage, spec.extended);
  Extend(x509, parent, NID_subject_key_identifier, "hash");
  Extend(x509, parent, NID_authority_key_identifier, "keyid:always");
  EVP_PKEY* by = issuer_key != nullptr ? issuer_key->get() : key.get();
  Must(X509_sign(x509, by, DigestOf(by)) > 0, "signing a certificate");
}

std::string Cert::Der() const {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(get(), &bytes);
  Must(size > 0, "DER");
  std::string der(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string Cert::Base64() const { return Base64Of(Der()); }

std::string Base64Of(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

std::string Sha256Hex(std::string_view bytes) {
  unsigned char digest[32];
  Must(EVP_Digest(bytes.data(), bytes.size(), digest, nullptr, EVP_sha256(), nullptr),
       "digest");
  std::string text;
  char digits[3];
  for (const unsigned char byte : digest) {
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    text += digits;
  }
  return text;
}

std::string StatementSpec::Text() const {
  std::string text = "alloy-statement-v1\nkind: " + kind + "\nname: " + name +
                     "\nversion: " + version + "\nsequence: " + sequence +
                     "\nabi: " + abi + "\nplatform: " + platform +
                     "\nnot-before: " + not_before + "\nnot-after: " + not_after +
                     "\nsize: " + size + "\nsha256: " + sha256 + "  " + file + "\n";
  for (const std::string& library : needed) text += "needed: " + library + "\n";
  return text + "end\n";
}

StatementSpec StatementFor(std::string_view library) {
  StatementSpec spec;
  spec.size = std::to_string(library.size());
  spec.sha256 = Sha256Hex(library);
  return spec;
}

std::string Block(std::string_view label, std::string_view bytes) {
  const std::string digits = Base64Of(bytes);
  std::string text = "-----BEGIN " + std::string(label) + "-----\n";
  for (size_t at = 0; at < digits.size(); at += 64) text += digits.substr(at, 64) + "\n";
  return text + "-----END " + std::string(label) + "-----\n";
}

std::string SidecarOf(std::string_view message, std::string_view signature,
                      const std::vector<Cert>& chain) {
  std::string text = std::string(message) + Block("ALLOY SIGNATURE", signature);
  for (const Cert& cert : chain) text += Block("CERTIFICATE", cert.Der());
  return text;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Must(file.is_open(), path.c_str());
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  Must(file.flush().good(), path.c_str());
}

}  // namespace signing
