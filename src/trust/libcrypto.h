// SPDX-License-Identifier: MIT
//
// The functions of OpenSSL's libcrypto 3 that trust calls, as a table that is filled at
// run time. The prototypes are ours, so that no header of OpenSSL is needed to build; a
// test holds each of them, and each constant, against the real headers.
//
// Source: the manual pages of OpenSSL 3.0, section 3.
#ifndef ALLOY_SRC_TRUST_LIBCRYPTO_H_
#define ALLOY_SRC_TRUST_LIBCRYPTO_H_

#include <cstddef>
#include <cstdint>
#include <ctime>

// OpenSSL's own tags, so that the types are the same ones.
struct asn1_string_st;
struct bio_method_st;
struct bio_st;
struct engine_st;
struct evp_md_ctx_st;
struct evp_md_st;
struct evp_pkey_ctx_st;
struct evp_pkey_st;
struct ossl_init_settings_st;
struct ossl_lib_ctx_st;
struct ossl_param_st;
struct stack_st;
struct stack_st_X509;
struct X509_name_st;
struct x509_st;
struct x509_store_ctx_st;
struct x509_store_st;
struct X509_VERIFY_PARAM_st;

namespace alloy::core {

// X(result, name, parameters)
#define ALLOY_LIBCRYPTO_FUNCTIONS(X)                                                \
  X(int, OPENSSL_init_crypto, (uint64_t, const ossl_init_settings_st*))             \
  X(ossl_lib_ctx_st*, OSSL_LIB_CTX_new, ())                                         \
  X(void, OSSL_LIB_CTX_free, (ossl_lib_ctx_st*))                                    \
  X(int, ERR_set_mark, ())                                                          \
  X(int, ERR_pop_to_mark, ())                                                       \
  X(evp_md_st*, EVP_MD_fetch, (ossl_lib_ctx_st*, const char*, const char*))         \
  X(void, EVP_MD_free, (evp_md_st*))                                                \
  X(int, EVP_Digest,                                                                \
    (const void*, size_t, unsigned char*, unsigned*, const evp_md_st*, engine_st*)) \
  X(int, EVP_DigestInit_ex, (evp_md_ctx_st*, const evp_md_st*, engine_st*))         \
  X(int, EVP_DigestUpdate, (evp_md_ctx_st*, const void*, size_t))                   \
  X(int, EVP_DigestFinal_ex, (evp_md_ctx_st*, unsigned char*, unsigned*))           \
  X(int, CRYPTO_memcmp, (const void*, const void*, size_t))                         \
  X(x509_st*, X509_new_ex, (ossl_lib_ctx_st*, const char*))                         \
  X(void, X509_free, (x509_st*))                                                    \
  X(x509_st*, d2i_X509, (x509_st**, const unsigned char**, long))                   \
  X(uint32_t, X509_get_extension_flags, (x509_st*))                                 \
  X(uint32_t, X509_get_key_usage, (x509_st*))                                       \
  X(uint32_t, X509_get_extended_key_usage, (x509_st*))                              \
  X(evp_pkey_st*, X509_get0_pubkey, (const x509_st*))                               \
  X(X509_name_st*, X509_get_subject_name, (const x509_st*))                         \
  X(X509_name_st*, X509_get_issuer_name, (const x509_st*))                          \
  X(const asn1_string_st*, X509_get0_notBefore, (const x509_st*))                   \
  X(const asn1_string_st*, X509_get0_notAfter, (const x509_st*))                    \
  X(int, ASN1_TIME_to_tm, (const asn1_string_st*, tm*))                             \
  X(int, X509_NAME_print_ex, (bio_st*, const X509_name_st*, int, unsigned long))    \
  X(const bio_method_st*, BIO_s_mem, ())                                            \
  X(bio_st*, BIO_new, (const bio_method_st*))                                       \
  X(int, BIO_free, (bio_st*))                                                       \
  X(int, BIO_read, (bio_st*, void*, int))                                           \
  X(x509_store_st*, X509_STORE_new, ())                                             \
  X(void, X509_STORE_free, (x509_store_st*))                                        \
  X(int, X509_STORE_add_cert, (x509_store_st*, x509_st*))                           \
  X(x509_store_ctx_st*, X509_STORE_CTX_new_ex, (ossl_lib_ctx_st*, const char*))     \
  X(void, X509_STORE_CTX_free, (x509_store_ctx_st*))                                \
  X(int, X509_STORE_CTX_init,                                                       \
    (x509_store_ctx_st*, x509_store_st*, x509_st*, stack_st_X509*))                 \
  X(X509_VERIFY_PARAM_st*, X509_STORE_CTX_get0_param, (const x509_store_ctx_st*))   \
  X(int, X509_STORE_CTX_get_error, (const x509_store_ctx_st*))                      \
  X(x509_st*, X509_STORE_CTX_get_current_cert, (const x509_store_ctx_st*))          \
  X(stack_st_X509*, X509_STORE_CTX_get0_chain, (const x509_store_ctx_st*))          \
  X(int, X509_verify_cert, (x509_store_ctx_st*))                                    \
  X(const char*, X509_verify_cert_error_string, (long))                             \
  X(int, X509_VERIFY_PARAM_set_flags, (X509_VERIFY_PARAM_st*, unsigned long))       \
  X(void, X509_VERIFY_PARAM_set_auth_level, (X509_VERIFY_PARAM_st*, int))           \
  X(void, X509_VERIFY_PARAM_set_depth, (X509_VERIFY_PARAM_st*, int))                \
  X(stack_st*, OPENSSL_sk_new_null, ())                                             \
  X(void, OPENSSL_sk_free, (stack_st*))                                             \
  X(int, OPENSSL_sk_push, (stack_st*, const void*))                                 \
  X(int, OPENSSL_sk_num, (const stack_st*))                                         \
  X(void*, OPENSSL_sk_value, (const stack_st*, int))                                \
  X(int, EVP_PKEY_is_a, (const evp_pkey_st*, const char*))                          \
  X(int, EVP_PKEY_get_bits, (const evp_pkey_st*))                                   \
  X(int, EVP_PKEY_get_size, (const evp_pkey_st*))                                   \
  X(int, EVP_PKEY_get_group_name, (const evp_pkey_st*, char*, size_t, size_t*))     \
  X(evp_md_ctx_st*, EVP_MD_CTX_new, ())                                             \
  X(void, EVP_MD_CTX_free, (evp_md_ctx_st*))                                        \
  X(int, EVP_DigestVerifyInit_ex,                                                   \
    (evp_md_ctx_st*, evp_pkey_ctx_st**, const char*, ossl_lib_ctx_st*, const char*, \
     evp_pkey_st*, const ossl_param_st*))                                           \
  X(int, EVP_DigestVerify,                                                          \
    (evp_md_ctx_st*, const unsigned char*, size_t, const unsigned char*, size_t))   \
  X(int, EVP_PKEY_CTX_set_rsa_padding, (evp_pkey_ctx_st*, int))                     \
  X(int, EVP_PKEY_CTX_set_rsa_pss_saltlen, (evp_pkey_ctx_st*, int))

struct Libcrypto {
#define ALLOY_LIBCRYPTO_POINTER_(result, name, parameters) \
  result(*name) parameters = nullptr;
  ALLOY_LIBCRYPTO_FUNCTIONS(ALLOY_LIBCRYPTO_POINTER_)
#undef ALLOY_LIBCRYPTO_POINTER_

  // Fill the table by `find`, which gives the address of a name, or NULL. Gives the name
  // of the first function that is missing; NULL: all are there.
  template <typename Find>
  const char* Bind(Find&& find) {
#define ALLOY_LIBCRYPTO_FIND_(result, name, parameters)                        \
  if (name = reinterpret_cast<decltype(name)>(find(#name)); name == nullptr) { \
    return #name;                                                              \
  }
    ALLOY_LIBCRYPTO_FUNCTIONS(ALLOY_LIBCRYPTO_FIND_)
#undef ALLOY_LIBCRYPTO_FIND_
    return nullptr;
  }
};

// Constants of <openssl/crypto.h>, x509v3.h, x509_vfy.h, x509.h, asn1.h and rsa.h.
inline constexpr uint64_t kInitWithoutConfig = 0x80;
inline constexpr uint32_t kExtensionConstraints = 0x1, kExtensionCa = 0x10,
                          kExtensionInvalid = 0x80;
inline constexpr uint32_t kUsageDigitalSignature = 0x80;
inline constexpr uint32_t kExtendedCodeSigning = 0x8, kExtendedAny = 0x100;
inline constexpr uint32_t kUsageAbsent = UINT32_MAX;  // what both getters answer then
inline constexpr unsigned long kVerifyStrict = 0x20, kVerifyPartialChain = 0x80000,
                               kVerifyWithoutTime = 0x200000;
inline constexpr int kVerifyOutOfMemory = 17, kVerifyEndKeyTooSmall = 66,
                     kVerifyCaKeyTooSmall = 67, kVerifyDigestTooWeak = 68,
                     kVerifyCurveParameters = 94;
inline constexpr unsigned long kNameRfc2253 = 0x1110317;
inline constexpr int kRsaPssPadding = 6, kRsaSaltAsDigest = -1;

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_LIBCRYPTO_H_
