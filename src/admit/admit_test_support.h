// SPDX-License-Identifier: MIT
//
// All steps of an admission at once, for tests of their outcome.
#ifndef ALLOY_SRC_ADMIT_ADMIT_TEST_SUPPORT_H_
#define ALLOY_SRC_ADMIT_ADMIT_TEST_SUPPORT_H_

#include <string>
#include <utility>

#include "admit/admit.h"

namespace alloy::core {

inline Result<Verified> VerifyFile(Admitter& admitter, const Policy& policy) {
  ALLOY_ASSIGN_OR_RETURN(Candidate candidate, admitter.Open(policy));
  ALLOY_ASSIGN_OR_RETURN(Sealed sealed, std::move(candidate).Seal());
  return std::move(sealed).Verify();
}

inline Result<Cleared> ClearFile(Admitter& admitter, const Policy& policy) {
  ALLOY_ASSIGN_OR_RETURN(Verified verified, VerifyFile(admitter, policy));
  return std::move(verified).Clear();
}

inline Policy UnsignedPolicy(const std::string& path) {
  Policy policy;
  policy.library = path;
  policy.allows_unsigned = true;
  return policy;
}

// Without a certificate.
inline Result<Cleared> ClearUnsigned(const std::string& path) {
  Admitter admitter{MayNeed()};
  return ClearFile(admitter, UnsignedPolicy(path));
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ADMIT_TEST_SUPPORT_H_
