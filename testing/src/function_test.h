// SPDX-License-Identifier: MIT
//
// A test of one function on one set of inputs that fit it.
#ifndef ALLOY_TESTING_SRC_FUNCTION_TEST_H_
#define ALLOY_TESTING_SRC_FUNCTION_TEST_H_

#include <vector>

#include "subject.h"

namespace alloy::testing {

struct FunctionTest {
  const char* promise;
  Status (*run)(const Subject& subject, const Fit& fit);
};

// Of functions that are run on batches.
std::vector<FunctionTest> MapTests(const alloy_function& function);

// Of functions on streams, as every function with one input is, and every one that has
// open.
std::vector<FunctionTest> StreamTests(const alloy_function& function);

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SRC_FUNCTION_TEST_H_
