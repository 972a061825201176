// SPDX-License-Identifier: MIT
//
// Owners of OpenSSL objects, and errors that are not the fault of the user.
#ifndef ARROWALLOY_SIGN_OPENSSL_H_
#define ARROWALLOY_SIGN_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "../base/failure.h"

namespace arrowalloy {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

// Before the first use of OpenSSL in every function that may be the first.
void ReadNoConfiguration();

// OpenSSL's text of the newest error. Clears its error queue.
std::string OpensslText();

// Return `result`, or throw when it is null: for calls that fail only without memory or
// random numbers. `what` says what cannot be done.
template <typename T>
T Must(T result, const char* what) {
  if (!result) {
    throw Failure(Exit::kMachine, kToolCode, std::string(what) + ": " + OpensslText(),
                  "libcrypto", "arrowalloy doctor");
  }
  return result;
}

Bio Memory();
Bio Over(std::string_view text);
std::string TakeText(const Bio& bio);

// The digest that a key signs with; NULL for Ed25519, which has its own.
const EVP_MD* DigestOf(const EVP_PKEY* key);

}  // namespace arrowalloy

#endif  // ARROWALLOY_SIGN_OPENSSL_H_
