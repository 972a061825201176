// SPDX-License-Identifier: MIT
//
// How a worker gets a Cleared: from the host that started it, which has admitted the
// library.
#ifndef ALLOY_SRC_PORT_INHERITED_LIBRARY_H_
#define ALLOY_SRC_PORT_INHERITED_LIBRARY_H_

#include <string>

#include "base/result.h"
#include "port/cleared.h"
#include "port/fd.h"

namespace alloy::core {

class InheritedLibrary {
 public:
  //   Takes  sealed: what the host passed on.
  //   Fails  REFUSED with IDENTITY: it is not memory under all four seals.
  static Result<Cleared> Take(Fd sealed, std::string path, bool is_linked);
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_INHERITED_LIBRARY_H_
