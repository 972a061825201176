// SPDX-License-Identifier: MIT
#include "trust/crypto.h"

namespace alloy::core {

std::string HexText(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

Crypto::Crypto(const Libcrypto& table)
    : functions_(table),
      context_(functions_.OSSL_LIB_CTX_new(), functions_.OSSL_LIB_CTX_free),
      sha256_(functions_.EVP_MD_fetch(context_.get(), "SHA256", nullptr),
              functions_.EVP_MD_free) {}

Result<std::shared_ptr<const Crypto>> Crypto::Make(const Libcrypto& table) {
  // A configuration file, which an environment variable may name, can load modules into
  // this process. Some functions read it for the default context, even if they get
  // another context. This call prevents it, so it must come first.
  table.OPENSSL_init_crypto(kInitWithoutConfig, nullptr);
  std::shared_ptr<const Crypto> crypto(new Crypto(table));
  if (crypto->context_ == nullptr || crypto->sha256_ == nullptr) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_NO_LIBCRYPTO,
                "libcrypto.so.3 has no SHA-256; reinstall the package libssl3");
  }
  return crypto;
}

namespace {

Status CannotHash() {
  return Fail(ALLOY_EXHAUSTED,
              "libcrypto could not compute a SHA-256, probably because memory ran out");
}

}  // namespace

Result<Digest> Crypto::Sha256(std::span<const std::byte> bytes) const {
  const QuietErrors quiet(*this);
  Digest digest;
  unsigned size = 0;
  if (functions_.EVP_Digest(bytes.data(), bytes.size(),
                            reinterpret_cast<unsigned char*>(digest.data()), &size,
                            sha256_.get(), nullptr) != 1 ||
      size != digest.size()) {
    return CannotHash();
  }
  return digest;
}

Sha256Stream::Sha256Stream(const Crypto& crypto)
    : crypto_(crypto),
      context_(crypto.functions().EVP_MD_CTX_new(), crypto.functions().EVP_MD_CTX_free) {
  const QuietErrors quiet(crypto_);
  ok_ = context_ != nullptr && crypto_.functions().EVP_DigestInit_ex(
                                   context_.get(), crypto_.sha256(), nullptr) == 1;
}

void Sha256Stream::Add(std::span<const std::byte> bytes) {
  const QuietErrors quiet(crypto_);
  ok_ = ok_ && crypto_.functions().EVP_DigestUpdate(context_.get(), bytes.data(),
                                                    bytes.size()) == 1;
}

Result<Digest> Sha256Stream::Finish() {
  const QuietErrors quiet(crypto_);
  Digest digest;
  unsigned size = 0;
  if (!ok_ ||
      crypto_.functions().EVP_DigestFinal_ex(
          context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &size) != 1 ||
      size != digest.size()) {
    return CannotHash();
  }
  return digest;
}

bool Crypto::SameInConstantTime(std::string_view a, std::string_view b) const {
  return a.size() == b.size() &&
         functions_.CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace alloy::core
