// SPDX-License-Identifier: MIT
//
// What every backend promises (backend.h), tried on one: each of its functions is bound
// to schemas that fit and run on batches of many shapes, through the engine and its gate.
//
//   alloy::testing::ConformanceOptions options{.library = "build/libscore.so"};
//   alloy::testing::RunConformance(options, [](const alloy::testing::Outcome& outcome) {
//     ...
//   });
//
// A backend that crashes takes the process along: run this in a process of its own, as
// `arrowalloy test` does.
#ifndef ALLOY_TESTING_CONFORMANCE_HPP_
#define ALLOY_TESTING_CONFORMANCE_HPP_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "alloy/detail/status.hpp"
#include "alloy/testing/spec.hpp"

namespace alloy::testing {

struct ConformanceOptions {
  std::string library;
  std::string certificate = {};  // base64 of one DER certificate; empty: unsigned
  std::vector<std::string> may_need = {};   // libraries it may need beside the runtimes
  std::vector<std::string> functions = {};  // only these; empty: all
  // Values of options: by `option`, or by `function.option`, which goes first.
  std::map<std::string, std::string> values = {};
  // Batches to bind to in place of the kit's own, which are a column of every type, and
  // the columns that the function declares.
  std::vector<Spec> schemas = {};
  int64_t rows = 100;
  uint64_t seed = 1;
};

enum class Verdict { kBegun, kPassed, kFailed, kSkipped };

struct Outcome {
  std::string function;  // empty: of the whole backend
  std::string test;      // a sentence: what is promised
  Verdict verdict = Verdict::kBegun;
  std::string text = {};  // why it failed or was skipped, and what to do
};

// Called when a test begins, and with its verdict when it ends.
using Watcher = std::function<void(const Outcome&)>;

// Run all tests.
//   Fails  as the load of the library does. Failures of tests are told to the watcher.
Status RunConformance(const ConformanceOptions& options, const Watcher& watcher);

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_CONFORMANCE_HPP_
