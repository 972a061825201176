// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "../base/failure.h"
#include "../base/files.h"
#include "crypto.h"
#include "openssl.h"

namespace arrowalloy {
namespace {

constexpr size_t kMaxPem = size_t{256} << 10U;

// Refuse instead of asking for a password in the middle of a build.
int NoPassword(char* /*text*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Failure NoCertificate(const std::string& path) {
  return Failure(
      Exit::kUsage, kSignerCode,
      fmt::format("{} is not an X.509 certificate in PEM, DER or base64", path), path,
      fmt::format("openssl x509 -in {} -noout -text", path));
}

Certificate FromDer(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = at + der.size();
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (at != end) certificate.reset();
  return certificate;
}

std::string DecodeBase64(std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  std::string bytes(text.size(), '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  if (length < 0) return "";
  // OpenSSL decodes padding as zero bytes.
  const size_t padding = text.ends_with("==") ? 2 : (text.ends_with("=") ? 1 : 0);
  bytes.resize(static_cast<size_t>(length) - padding);
  return bytes;
}

}  // namespace

Key ReadKey(const std::string& path) {
  ReadNoConfiguration();
  std::string pem = ReadFile(path, kMaxPem);
  const Bio bio = Over(pem);
  bool asked = false;
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, &asked));
  OPENSSL_cleanse(pem.data(), pem.size());
  ERR_clear_error();
  if (key != nullptr) return key;
  if (asked) {
    throw Failure(Exit::kUsage, kKeyCode,
                  fmt::format("the key {} is protected by a password", path), path,
                  fmt::format("openssl pkey -in {} | arrowalloy sign ... --key -", path));
  }
  throw Failure(Exit::kUsage, kKeyCode,
                fmt::format("{} does not contain a private key in PEM", path), path,
                "arrowalloy keygen --out dev");
}

std::vector<Certificate> ReadChain(const std::string& path) {
  ReadNoConfiguration();
  const std::string pem = ReadFile(path, kMaxPem);
  const Bio bio = Over(pem);
  std::vector<Certificate> chain;
  while (X509* x509 = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    chain.emplace_back(x509);
  }
  // The list ends well when no further block begins, and badly at a broken block.
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (chain.empty() || !ended) throw NoCertificate(path);
  return chain;
}

Certificate ReadCertificate(const std::string& path) {
  ReadNoConfiguration();
  const std::string content = ReadFile(path, kMaxPem);
  Certificate certificate;
  if (content.find("-----BEGIN") != std::string::npos) {
    const Bio bio = Over(content);
    certificate.reset(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    ERR_clear_error();
  } else if (
      content.starts_with(
          '\x30')) {  // DER begins with the byte of a SEQUENCE; its base64 begins with "M"
    certificate = FromDer(content);
  } else {
    certificate = FromDer(DecodeBase64(content));
  }
  if (certificate == nullptr) throw NoCertificate(path);
  return certificate;
}

}  // namespace arrowalloy
