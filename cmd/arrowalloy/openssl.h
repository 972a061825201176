// SPDX-License-Identifier: MIT
//
// What the files around OpenSSL share: owners, and errors that are not the user's.
#ifndef ARROWALLOY_OPENSSL_H_
#define ARROWALLOY_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "failure.h"

namespace arrowalloy {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

// OpenSSL's own words for the newest error; the queue is empty afterwards.
std::string OpensslText();

// For what fails only when there is no memory, or no random number.
template <typename T>
T Must(T result, const char* what) {
  if (!result) {
    throw Failure(Exit::kMachine, kToolCode, std::string(what) + ": " + OpensslText());
  }
  return result;
}

Bio Memory();
Bio Over(std::string_view text);
std::string TakeText(const Bio& bio);

// The digest that a key signs by; NULL where it has its own inside, as Ed25519 has.
const EVP_MD* DigestOf(const EVP_PKEY* key);

}  // namespace arrowalloy

#endif  // ARROWALLOY_OPENSSL_H_
