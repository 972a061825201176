// SPDX-License-Identifier: MIT
#include "port/inherited_library.h"

#include <fcntl.h>

#include <utility>

namespace alloy::core {

Result<Cleared> InheritedLibrary::Take(Fd sealed, std::string path, bool is_linked) {
  constexpr int kAll = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  const int seals = ::fcntl(sealed.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kAll) != kAll) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_IDENTITY,
                "the host passed a library on that is not sealed");
  }
  return Cleared(std::move(sealed), std::move(path), is_linked, {});
}

}  // namespace alloy::core
