// SPDX-License-Identifier: MIT
//
// A certificate as a host gives it, and as a sidecar does: any text, any DER.
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

#include "trust/certificate.h"

namespace {

std::shared_ptr<const alloy::core::Crypto> MakeCrypto() {
  void* library = ::dlopen("libcrypto.so.3", RTLD_NOW);
  alloy::core::Libcrypto table;
  if (library == nullptr ||
      table.Bind([&](const char* name) { return ::dlsym(library, name); }) != nullptr) {
    std::fputs("libcrypto.so.3 is needed\n", stderr);
    std::abort();
  }
  auto crypto = alloy::core::Crypto::Make(table);
  if (!crypto.ok()) std::abort();
  return *std::move(crypto);
}

void CheckFacts(const alloy::core::Result<alloy::core::Certificate>& certificate) {
  if (!certificate.ok()) return;
  const auto& facts = certificate->facts();
  if (facts.sha256.size() != 64) std::abort();
  for (const char c : facts.subject + facts.issuer + facts.key) {
    if (c < 0x20 || c > 0x7e) std::abort();  // error texts show it
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto crypto = MakeCrypto();
  const std::span bytes(data, size);
  CheckFacts(alloy::core::Certificate::FromDer(*crypto, std::as_bytes(bytes)));
  CheckFacts(alloy::core::ParseCertificateArgument(
      *crypto, {reinterpret_cast<const char*>(data), size}));
  return 0;
}
