// SPDX-License-Identifier: MIT
//
// Where trust's functions come from: libcrypto.so.3 of this machine, found by its SONAME
// when the first certificate comes. A program that uses none needs none.
#ifndef ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_
#define ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_

#include <memory>
#include <mutex>
#include <string>

#include "trust/crypto.h"

namespace alloy::core {

// Threads  shared. Fixed in place.
class LibcryptoSource {
 public:
  // `soname` is another one in tests alone.
  explicit LibcryptoSource(std::string soname = "libcrypto.so.3")
      : soname_(std::move(soname)) {}

  LibcryptoSource(const LibcryptoSource&) = delete;
  LibcryptoSource& operator=(const LibcryptoSource&) = delete;

  // The same one each time. What failed is tried again: the package may be there by then.
  //   Fails  REFUSED with NO_LIBCRYPTO; the text names the package.
  Result<std::shared_ptr<const Crypto>> Get();

 private:
  const std::string soname_;
  std::mutex mutex_;
  std::shared_ptr<const Crypto> crypto_;  // guarded by mutex_
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_
