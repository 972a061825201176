// SPDX-License-Identifier: MIT
//
// Our prototypes against OpenSSL's own headers: this file compiles, or they differ.
#include "trust/libcrypto.h"

#include <gtest/gtest.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <set>
#include <string>
#include <type_traits>

namespace alloy::core {
namespace {

#define SAME_PROTOTYPE(result, name, parameters) \
  static_assert(std::is_same_v<decltype(Libcrypto::name), decltype(&::name)>, #name);
ALLOY_LIBCRYPTO_FUNCTIONS(SAME_PROTOTYPE)

static_assert(kInitWithoutConfig == OPENSSL_INIT_NO_LOAD_CONFIG);
static_assert(kExtensionConstraints == EXFLAG_BCONS && kExtensionCa == EXFLAG_CA &&
              kExtensionInvalid == EXFLAG_INVALID);
static_assert(kUsageDigitalSignature == KU_DIGITAL_SIGNATURE);
static_assert(kExtendedCodeSigning == XKU_CODE_SIGN && kExtendedAny == XKU_ANYEKU);
static_assert(kVerifyStrict == X509_V_FLAG_X509_STRICT &&
              kVerifyPartialChain == X509_V_FLAG_PARTIAL_CHAIN &&
              kVerifyWithoutTime == X509_V_FLAG_NO_CHECK_TIME);
static_assert(kVerifyOutOfMemory == X509_V_ERR_OUT_OF_MEM &&
              kVerifyEndKeyTooSmall == X509_V_ERR_EE_KEY_TOO_SMALL &&
              kVerifyCaKeyTooSmall == X509_V_ERR_CA_KEY_TOO_SMALL &&
              kVerifyDigestTooWeak == X509_V_ERR_CA_MD_TOO_WEAK &&
              kVerifyCurveParameters == X509_V_ERR_EC_KEY_EXPLICIT_PARAMS);
static_assert(kNameRfc2253 == XN_FLAG_RFC2253);
static_assert(kRsaPssPadding == RSA_PKCS1_PSS_PADDING &&
              kRsaSaltAsDigest == RSA_PSS_SALTLEN_DIGEST);

TEST(LibcryptoTest, BindsEveryNameOnceAndTellsTheOneThatIsMissing) {
  Libcrypto table;
  std::set<std::string> names;
  int dummy = 0;
  EXPECT_EQ(table.Bind([&](const char* name) -> void* {
    EXPECT_TRUE(names.insert(name).second) << name;
    return &dummy;
  }),
            nullptr);
  EXPECT_GT(names.size(), 50U);
  EXPECT_STREQ(table.Bind([&](const char* name) -> void* {
    return std::string(name) == "BIO_read" ? nullptr : &dummy;
  }),
               "BIO_read");
}

}  // namespace
}  // namespace alloy::core
