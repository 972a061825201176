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

LibcryptoSource::~LibcryptoSource() {
  const std::unique_ptr<const std::shared_ptr<const Crypto>> owner(
      crypto_.load(std::memory_order_acquire));
}

Result<std::shared_ptr<const Crypto>> LibcryptoSource::Get() {
  if (const auto* known = crypto_.load(std::memory_order_acquire); known != nullptr) {
    return *known;
  }
  ALLOY_ASSIGN_OR_RETURN(auto bound, Bind(soname_));
  auto made = std::make_unique<const std::shared_ptr<const Crypto>>(std::move(bound));
  // Two threads may have bound it at once. The first one stays.
  const std::shared_ptr<const Crypto>* known = nullptr;
  if (!crypto_.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) {
    return *known;
  }
  return *made.release();
}

}  // namespace alloy::core
