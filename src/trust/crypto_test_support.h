// SPDX-License-Identifier: MIT
//
// What the tests of trust share: the table, bound to the OpenSSL that they link.
#ifndef ALLOY_SRC_TRUST_CRYPTO_TEST_SUPPORT_H_
#define ALLOY_SRC_TRUST_CRYPTO_TEST_SUPPORT_H_

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tests/support/signing.h"
#include "trust/crypto.h"

namespace alloy::core {

inline std::shared_ptr<const Crypto> TestCrypto() {
  Libcrypto table;
  const char* missing =
      table.Bind([](const char* name) { return ::dlsym(RTLD_DEFAULT, name); });
  EXPECT_EQ(missing, nullptr) << missing;
  auto crypto = Crypto::Make(table);
  EXPECT_TRUE(crypto.ok());
  return *std::move(crypto);
}

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Expect a refusal of this reason, whose text has this part.
inline void ExpectRefused(const Status& status, int32_t reason, std::string_view part) {
  ASSERT_FALSE(status.ok()) << "expected reason " << reason;
  EXPECT_EQ(status.code(), ALLOY_REFUSED) << status.fault().text;
  EXPECT_EQ(status.reason(), reason) << status.fault().text;
  EXPECT_NE(status.fault().text.find(part), std::string::npos) << status.fault().text;
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_CRYPTO_TEST_SUPPORT_H_
