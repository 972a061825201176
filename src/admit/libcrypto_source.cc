// SPDX-License-Identifier: MIT
#include "admit/libcrypto_source.h"

#include "port/system_library.h"
#include "trust/crypto.h"

namespace alloy::core {
namespace {

Status NoLibcrypto(const std::string& why) {
  return Fail(
      ALLOY_REFUSED, ALLOY_REASON_NO_LIBCRYPTO,
      "cannot check certificates: libcrypto.so.3 of OpenSSL cannot be used: " + why +
          "; install it: apt-get install libssl3 (Debian, Ubuntu; libssl3t64 "
          "since 24.04), dnf install openssl-libs (Fedora)");
}

Result<std::shared_ptr<const Crypto>> Bind(const std::string& soname) {
  ALLOY_TRY(CheckHasLoader());
  std::string text;
  void* library = OpenSystemLibrary(soname.c_str(), &text);
  if (library == nullptr) return NoLibcrypto(text);
  Libcrypto table;
  const char* missing =
      table.Bind([&](const char* name) { return FindInSystemLibrary(library, name); });
  if (missing != nullptr)
    return NoLibcrypto("it has no function " + std::string(missing));
  return Crypto::Make(table);
}

}  // namespace

Result<std::shared_ptr<const Crypto>> LibcryptoSource::Get() {
  {
    const std::lock_guard lock(mutex_);
    if (crypto_ != nullptr) return crypto_;
  }
  // Not under the lock: what is loaded here runs its own constructors.
  ALLOY_ASSIGN_OR_RETURN(auto bound, Bind(soname_));
  const std::lock_guard lock(mutex_);
  if (crypto_ == nullptr) crypto_ = std::move(bound);
  return crypto_;
}

}  // namespace alloy::core
