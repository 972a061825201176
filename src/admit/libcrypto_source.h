// SPDX-License-Identifier: MIT
//
// Where trust gets its functions from: libcrypto.so.3 of this machine. It is found by its
// SONAME when the first certificate is checked, so a program that uses no certificate does
// not need it.
#ifndef ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_
#define ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_

#include <atomic>
#include <memory>
#include <string>

#include "base/result.h"

namespace alloy::core {

class Crypto;

// Threads  shared. Fixed in place.
class LibcryptoSource {
 public:
  // `soname` is another one only in tests.
  explicit LibcryptoSource(std::string soname = "libcrypto.so.3")
      : soname_(std::move(soname)) {}

  ~LibcryptoSource();
  LibcryptoSource(const LibcryptoSource&) = delete;
  LibcryptoSource& operator=(const LibcryptoSource&) = delete;

  // The same one each time. After a failure the next call tries again: the package may be
  // installed by then.
  //   Fails  REFUSED with NO_LIBCRYPTO; the text names the package. UNSUPPORTED in a
  //          program that is linked statically.
  Result<std::shared_ptr<const Crypto>> Get();

 private:
  const std::string soname_;
  // Owned; NULL until the first success, then constant. Not under a lock: in a child of
  // fork, a thread of the parent would hold it for ever.
  std::atomic<const std::shared_ptr<const Crypto>*> crypto_{nullptr};
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_
