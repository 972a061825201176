// SPDX-License-Identifier: MIT
#include "engine/open/inspect_library.h"

#include "port/clock.h"

namespace alloy::core {

Result<std::string> InspectLibrary(Host& host, const std::string& library,
                                   const std::string& certificate) {
  if (library.empty()) return Fail(ALLOY_INVALID, "the path of the library is empty");
  Policy policy;
  policy.library = library;
  policy.certificate = certificate;
  policy.allows_unsigned = host.allows_unsigned();
  policy.now = UnixSeconds();
  return host.libraries().admitter().Inspect(policy);
}

}  // namespace alloy::core
