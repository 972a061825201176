// SPDX-License-Identifier: MIT
#include "engine/open/inspect_library.h"

#include "admit/inspect.h"
#include "port/clock.h"

namespace alloy::core {

Result<std::string> InspectLibrary(Host& host, const std::string& library,
                                   const std::string& certificate) {
  if (library.empty()) return Fail(ALLOY_INVALID, "the library is not named");
  Admission admission;
  admission.certificate = certificate;
  admission.now = UnixSeconds();
  ALLOY_ASSIGN_OR_RETURN(
      Inspection found,
      Inspect(library, admission, host.allows_unsigned(), host.libraries().libcrypto()));
  const Status allowed =
      host.libraries().may_need().Check(found.elf.facts.needed, &found.not_allowed);
  if (found.verdict.ok() && !allowed.ok()) {
    found.verdict = allowed.WithPrefix(library + ": ");
  }
  return AsJson(found);
}

}  // namespace alloy::core
