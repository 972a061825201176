// SPDX-License-Identifier: MIT
#include "trust/chain.h"

#include "trust/time_text.h"

namespace alloy::core {
namespace {

// The most certificates between signer and anchor.
constexpr int kMaxDepth = 4;
// 112 bits of security: RSA of 2048 bits and SHA-256 for the authorities.
constexpr int kAuthLevel = 2;

Status ChainRefused(int32_t reason, std::string text) {
  return Fail(ALLOY_REFUSED, reason, std::move(text));
}

Status CheckSigner(const Crypto& crypto, const Certificate& signer) {
  const Libcrypto& c = crypto.functions();
  const std::string who = "the signer " + signer.facts().subject;
  const uint32_t usage = c.X509_get_key_usage(signer.get());
  if (usage == kUsageAbsent || (usage & kUsageDigitalSignature) == 0) {
    return ChainRefused(
        ALLOY_REASON_CERTIFICATE_USAGE,
        who +
            " has no key usage digitalSignature; sign with a certificate for "
            "signing code (`arrowalloy keygen` makes one)");
  }
  const uint32_t extended = c.X509_get_extended_key_usage(signer.get());
  if (extended == kUsageAbsent || (extended & kExtendedCodeSigning) == 0) {
    return ChainRefused(
        ALLOY_REASON_CERTIFICATE_USAGE,
        who +
            " has no extended key usage codeSigning; sign with a certificate "
            "for signing code (`arrowalloy keygen` makes one)");
  }
  if (!signer.facts().has_constraints) {
    return ChainRefused(
        ALLOY_REASON_CERTIFICATE_USAGE,
        who +
            " has no extension basicConstraints; sign with a certificate that says "
            "CA:FALSE (`arrowalloy keygen` makes one)");
  }
  if (signer.facts().is_ca) {
    return ChainRefused(
        ALLOY_REASON_CERTIFICATE_IS_CA,
        who +
            " is a certificate authority (CA:TRUE); sign with a certificate "
            "that it issued, with CA:FALSE");
  }
  if (signer.facts().key_kind == KeyKind::kUnusable) {
    return ChainRefused(
        ALLOY_REASON_WEAK_KEY,
        who + " has the key \"" + signer.facts().key +
            "\", which is not supported or too weak; sign with ed25519, ec "
            "prime256v1 or secp384r1, or rsa with 3072 bits or more");
  }
  return Status();
}

int32_t ReasonOf(int error) {
  switch (error) {
    case kVerifyEndKeyTooSmall:
    case kVerifyCaKeyTooSmall:
    case kVerifyDigestTooWeak:
    case kVerifyCurveParameters:
      return ALLOY_REASON_WEAK_KEY;
    default:
      return ALLOY_REASON_CERTIFICATE_UNTRUSTED;
  }
}

// One verification: the store with only the anchor, the certificates of the sidecar, and
// the chain that libcrypto finds.
class Verification {
 public:
  Verification(const Crypto& crypto, const Certificate& anchor,
               std::span<const Certificate> certificates)
      : c_(crypto.functions()),
        anchor_(anchor),
        certificates_(certificates),
        store_(c_.X509_STORE_new(), c_.X509_STORE_free),
        others_(c_.OPENSSL_sk_new_null(), c_.OPENSSL_sk_free),
        context_(c_.X509_STORE_CTX_new_ex(crypto.context(), nullptr),
                 c_.X509_STORE_CTX_free) {}

  Result<std::vector<CertificateFacts>> Run(int64_t now) {
    if (!Prepare())
      return Fail(ALLOY_EXHAUSTED, "out of memory while verifying a certificate chain");
    if (c_.X509_verify_cert(context_.get()) != 1) return Refusal();
    std::vector<CertificateFacts> chain;
    const auto* found =
        reinterpret_cast<const stack_st*>(c_.X509_STORE_CTX_get0_chain(context_.get()));
    for (int i = 0; i < c_.OPENSSL_sk_num(found); ++i) {
      auto* x509 = static_cast<x509_st*>(c_.OPENSSL_sk_value(found, i));
      const CertificateFacts* facts = Find(x509);
      if (facts == nullptr)
        return Fail(ALLOY_INTERNAL,
                    "the verified chain has an unknown certificate; please report it");
      ALLOY_TRY(CheckTime(*facts, now));
      if (i > 0) ALLOY_TRY(CheckAuthority(x509, *facts));
      chain.push_back(*facts);
    }
    return chain;
  }

 private:
  bool Prepare() {
    if (store_ == nullptr || others_ == nullptr || context_ == nullptr ||
        c_.X509_STORE_add_cert(store_.get(), anchor_.get()) != 1) {
      return false;
    }
    for (const Certificate& other : certificates_.subspan(1)) {
      if (c_.OPENSSL_sk_push(others_.get(), other.get()) <= 0) return false;
    }
    if (c_.X509_STORE_CTX_init(context_.get(), store_.get(), certificates_[0].get(),
                               reinterpret_cast<stack_st_X509*>(others_.get())) != 1) {
      return false;
    }
    X509_VERIFY_PARAM_st* param = c_.X509_STORE_CTX_get0_param(context_.get());
    c_.X509_VERIFY_PARAM_set_auth_level(param, kAuthLevel);
    c_.X509_VERIFY_PARAM_set_depth(param, kMaxDepth);
    // libcrypto compares times by gmtime, which obeys the leap seconds of a file that the
    // environment names. CheckTime compares them.
    return c_.X509_VERIFY_PARAM_set_flags(
               param, kVerifyStrict | kVerifyPartialChain | kVerifyWithoutTime) == 1;
  }

  static Status CheckTime(const CertificateFacts& facts, int64_t now) {
    const std::string who = "the certificate of " + facts.subject;
    if (now < facts.not_before) {
      return ChainRefused(ALLOY_REASON_CERTIFICATE_NOT_YET_VALID,
                          who + " is not valid yet: it is valid from " +
                              TimeText(facts.not_before) + ", and now it is " +
                              TimeText(now) + "; check this machine's clock");
    }
    if (now >= facts.not_after) {
      return ChainRefused(ALLOY_REASON_CERTIFICATE_EXPIRED,
                          who + " expired at " + TimeText(facts.not_after) +
                              ", and now it is " + TimeText(now) +
                              "; sign with a valid certificate");
    }
    return Status();
  }

  const CertificateFacts* Find(const x509_st* x509) const {
    if (x509 == anchor_.get()) return &anchor_.facts();
    for (const Certificate& other : certificates_) {
      if (x509 == other.get()) return &other.facts();
    }
    return nullptr;
  }

  // An authority that was issued for another purpose, such as TLS servers, is not
  // accepted.
  Status CheckAuthority(x509_st* x509, const CertificateFacts& facts) const {
    const uint32_t extended = c_.X509_get_extended_key_usage(x509);
    if (extended == kUsageAbsent ||
        (extended & (kExtendedCodeSigning | kExtendedAny)) != 0) {
      return Status();
    }
    return ChainRefused(
        ALLOY_REASON_CERTIFICATE_USAGE,
        "the authority " + facts.subject +
            " may not issue certificates for signing code: its extended key "
            "usage has no codeSigning; use another authority");
  }

  Status Refusal() const {
    const int error = c_.X509_STORE_CTX_get_error(context_.get());
    if (error == kVerifyOutOfMemory) {
      return Fail(ALLOY_EXHAUSTED, "out of memory while verifying a certificate chain");
    }
    const CertificateFacts& signer = certificates_[0].facts();
    const CertificateFacts* at = Find(c_.X509_STORE_CTX_get_current_cert(context_.get()));
    if (at == nullptr) at = &signer;
    const int32_t reason = ReasonOf(error);
    const std::string who = "the certificate of " + at->subject;
    switch (reason) {
      case ALLOY_REASON_WEAK_KEY:
        return ChainRefused(reason, who + " is too weak (" + at->key +
                                        "): " + c_.X509_verify_cert_error_string(error) +
                                        "; sign with a stronger key");
      default:
        return ChainRefused(
            reason, "the signer " + signer.subject + " (issued by " + signer.issuer +
                        ") does not chain to the given "
                        "certificate of " +
                        anchor_.facts().subject + ": " +
                        c_.X509_verify_cert_error_string(error) +
                        "; give the signer's certificate, or the one of the "
                        "authority that issued it");
    }
  }

  const Libcrypto& c_;
  const Certificate& anchor_;
  const std::span<const Certificate> certificates_;
  const Held<x509_store_st> store_;
  const Held<stack_st> others_;
  const Held<x509_store_ctx_st> context_;
};

const char* DigestFor(KeyKind kind) {
  switch (kind) {
    case KeyKind::kP256:
    case KeyKind::kRsaPss:
      return "SHA256";
    case KeyKind::kP384:
      return "SHA384";
    case KeyKind::kEd25519:  // digests by itself
    case KeyKind::kUnusable:
      break;
  }
  return nullptr;
}

// An RSA signature is as long as its modulus (RFC 8017, section 8.1.2, step 1). libcrypto
// also takes one whose first byte, a zero, was left out.
bool HasLengthOf(const Libcrypto& c, const Certificate& signer, size_t signature_size) {
  if (signer.facts().key_kind != KeyKind::kRsaPss) return true;
  const int size = c.EVP_PKEY_get_size(c.X509_get0_pubkey(signer.get()));
  return size > 0 && signature_size == static_cast<size_t>(size);
}

bool IsValid(const Crypto& crypto, const Certificate& signer, std::string_view message,
             std::span<const std::byte> signature) {
  const Libcrypto& c = crypto.functions();
  const Held<evp_md_ctx_st> context(c.EVP_MD_CTX_new(), c.EVP_MD_CTX_free);
  const KeyKind kind = signer.facts().key_kind;
  evp_pkey_ctx_st* key_context = nullptr;  // lives as long as `context`
  if (context == nullptr || kind == KeyKind::kUnusable ||
      !HasLengthOf(c, signer, signature.size()) ||
      c.EVP_DigestVerifyInit_ex(context.get(), &key_context, DigestFor(kind),
                                crypto.context(), nullptr,
                                c.X509_get0_pubkey(signer.get()), nullptr) != 1) {
    return false;
  }
  if (kind == KeyKind::kRsaPss &&
      (c.EVP_PKEY_CTX_set_rsa_padding(key_context, kRsaPssPadding) != 1 ||
       c.EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, kRsaSaltAsDigest) != 1)) {
    return false;
  }
  return c.EVP_DigestVerify(
             context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
             signature.size(), reinterpret_cast<const unsigned char*>(message.data()),
             message.size()) == 1;
}

}  // namespace

Result<std::vector<CertificateFacts>> VerifyChain(
    const Crypto& crypto, const Certificate& anchor,
    std::span<const Certificate> certificates, int64_t now) {
  const QuietErrors quiet(crypto);
  ALLOY_TRY(CheckSigner(crypto, certificates.front()));
  return Verification(crypto, anchor, certificates).Run(now);
}

Status VerifyMessage(const Crypto& crypto, const Certificate& signer,
                     std::string_view message, std::span<const std::byte> signature) {
  const QuietErrors quiet(crypto);
  if (IsValid(crypto, signer, message, signature)) return Status();
  return ChainRefused(
      ALLOY_REASON_SIGNATURE,
      "the signature does not match: either the statement or the signature "
      "was changed (signer " +
          signer.facts().subject + ", " + signer.facts().key +
          "); sign the library again: arrowalloy sign");
}

}  // namespace alloy::core
