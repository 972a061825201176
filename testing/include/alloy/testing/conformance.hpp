// SPDX-License-Identifier: MIT
//
// Tests whether a backend keeps the promises of backend.h. It binds each function to
// schemas that fit, and runs it on batches of many shapes, through the engine and its
// gate.
//
// Call RunConformance from the tests of a backend, or run `arrowalloy test`. A backend
// that crashes ends the process, so run this in a process of its own, as `arrowalloy
// test` does.
//
// Threads  serial; the watcher is called on the same thread.
#ifndef ALLOY_TESTING_CONFORMANCE_HPP_
#define ALLOY_TESTING_CONFORMANCE_HPP_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alloy/status.hpp"
#include "alloy/testing/sample_table.hpp"
#include "alloy/testing/spec.hpp"

namespace alloy::testing {

struct ConformanceOptions {
  std::string library;
  std::string certificate = {};  // base64 of one DER certificate; empty: unsigned
  std::vector<std::string> may_need = {};   // libraries it may need besides the runtimes
  bool load_plainly = false;                // only for debuggers: see ALLOY_LOAD_PLAINLY
  bool isolated = false;                    // run the backend in worker processes
  std::vector<std::string> functions = {};  // only these; empty: all
  // Values of options, by `option` or, with priority, by `function.option`.
  std::map<std::string, std::string> values = {};
  // Batches to bind to. Empty: those of the kit, which are a column of every type, and
  // the columns that the function declares.
  std::vector<Spec> schemas = {};
  // Values for the columns, where random ones make no sense to a function. Without
  // `schemas`, its columns are also a batch to bind to.
  std::optional<SampleTable> table = {};
  int64_t rows = 100;
  uint64_t seed = 1;
};

enum class Verdict { kBegun, kPassed, kFailed, kSkipped };

struct Outcome {
  std::string function;  // empty: the whole backend
  std::string test;      // the promise, as a sentence
  Verdict verdict = Verdict::kBegun;
  std::string text = {};  // why it failed or was skipped, and what to do
};

// Called when a test begins, and with its verdict when it ends.
using Watcher = std::function<void(const Outcome&)>;

// Run all tests. The watcher gets the failures of tests.
//
//   Fails  if the library cannot be loaded.
Status RunConformance(const ConformanceOptions& options, const Watcher& watcher);

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_CONFORMANCE_HPP_
