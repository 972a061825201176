// SPDX-License-Identifier: MIT
//
// A test of one function on one set of inputs that fit it.
#ifndef ALLOY_TESTING_SRC_FUNCTION_TEST_H_
#define ALLOY_TESTING_SRC_FUNCTION_TEST_H_

#include <string>
#include <vector>

#include "subject.h"

namespace alloy::testing {

struct FunctionTest {
  const char* promise;
  Status (*run)(const Subject& subject, const Fit& fit);
};

// One run on a sample, to find out whether a function succeeds at all.
struct Attempt {
  std::string what;  // the sample, for people
  Status status;
};

// Until one succeeds: runs on batches with rows, of a stream function on streams of them.
std::vector<Attempt> AttemptsOf(const Subject& subject, const Fit& fit);
std::vector<Attempt> StreamAttemptsOf(const Subject& subject, const Fit& fit);

// Of functions that are run on batches.
std::vector<FunctionTest> MapTests(const alloy_function& function);

// Of functions on streams, as every function with one input is, and every one that has
// open.
std::vector<FunctionTest> StreamTests(const alloy_function& function);

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SRC_FUNCTION_TEST_H_
