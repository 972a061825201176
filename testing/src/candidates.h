// SPDX-License-Identifier: MIT
//
// The schemas on which a function is tried.
#ifndef ALLOY_TESTING_SRC_CANDIDATES_H_
#define ALLOY_TESTING_SRC_CANDIDATES_H_

#include <vector>

#include "alloy/backend.h"
#include "alloy/testing/spec.hpp"

namespace alloy::testing {

// One batch for each input of a function.
using Inputs = std::vector<Spec>;

// Inputs that may fit: of the columns that the function declares, or of every type.
// `own`, where it is not empty, takes the place of the latter.
std::vector<Inputs> CandidatesFor(const alloy_function& function,
                                  const std::vector<Spec>& own);

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SRC_CANDIDATES_H_
