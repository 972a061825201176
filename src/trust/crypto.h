// SPDX-License-Identifier: MIT
//
// libcrypto as trust uses it: the table of functions, and a separate library context. That
// context reads no configuration file and shares nothing with the host's use of OpenSSL.
#ifndef ALLOY_SRC_TRUST_CRYPTO_H_
#define ALLOY_SRC_TRUST_CRYPTO_H_

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "trust/libcrypto.h"

namespace alloy::core {

// An object of libcrypto, and the function of the table that frees it.
template <typename T>
using Held = std::unique_ptr<T, void (*)(T*)>;

using Digest = std::array<std::byte, 32>;
std::string HexText(std::span<const std::byte> bytes);

// Threads  immutable: shared. The table must be that of a library that stays loaded.
class Crypto {
 public:
  //   Fails  REFUSED with NO_LIBCRYPTO: its providers give no SHA-256.
  static Result<std::shared_ptr<const Crypto>> Make(const Libcrypto& table);

  Crypto(const Crypto&) = delete;
  Crypto& operator=(const Crypto&) = delete;

  const Libcrypto& functions() const { return functions_; }
  ossl_lib_ctx_st* context() const { return context_.get(); }

  Result<Digest> Sha256(std::span<const std::byte> bytes) const;
  const evp_md_st* sha256() const { return sha256_.get(); }
  bool SameInConstantTime(std::string_view a, std::string_view b) const;

 private:
  explicit Crypto(const Libcrypto& table);

  const Libcrypto functions_;
  const Held<ossl_lib_ctx_st> context_;
  const Held<evp_md_st> sha256_;
};

// A SHA-256 of bytes that come in pieces.
class Sha256Stream {
 public:
  explicit Sha256Stream(const Crypto& crypto);
  void Add(std::span<const std::byte> bytes);
  // The last call.
  //   Fails  EXHAUSTED
  Result<Digest> Finish();

 private:
  const Crypto& crypto_;
  const Held<evp_md_ctx_st> context_;
  bool ok_;
};

// libcrypto leaves its errors on a queue of the thread, where the host's own use of
// OpenSSL would find them. This removes them.
class QuietErrors {
 public:
  explicit QuietErrors(const Crypto& crypto) : functions_(crypto.functions()) {
    functions_.ERR_set_mark();
  }
  ~QuietErrors() { functions_.ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  const Libcrypto& functions_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_CRYPTO_H_
