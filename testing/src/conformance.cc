// SPDX-License-Identifier: MIT
#include "alloy/testing/conformance.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "function_test.h"
#include "subject.h"

namespace alloy::testing {
namespace {

// One test of one function on everything that fits it.
void RunTest(const FunctionTest& test, const Subject& subject,
             const std::vector<Fit>& fits, const Watcher& watcher) {
  Outcome outcome{.function = fits[0].function->name, .test = test.promise};
  watcher(outcome);
  outcome.verdict = Verdict::kPassed;
  (void)subject.TakeWarnings();
  for (const Fit& fit : fits) {
    Status status = test.run(subject, fit);
    // What the engine has seen of the backend, such as a release that throws.
    const std::string warnings = subject.TakeWarnings();
    if (status.ok() && !warnings.empty()) status = Status::Invalid(warnings);
    if (status.ok()) continue;
    outcome.verdict = Verdict::kFailed;
    outcome.text = fit.Text() + ": " + std::string(status.text());
    break;
  }
  watcher(outcome);
}

// Whether a function succeeds at all. One that fails every time keeps all other promises,
// which shows nothing.
bool Succeeds(const Subject& subject, const alloy_function& function,
              const std::vector<Fit>& fits, const Watcher& watcher) {
  Outcome outcome{.function = function.name, .test = "succeeds on a sample"};
  watcher(outcome);
  outcome.verdict = Verdict::kFailed;
  std::string tried;
  size_t n_tried = 0;
  for (const Fit& fit : fits) {
    for (const Attempt& attempt : AttemptsOf(subject, fit)) {
      if (attempt.status.ok()) {
        outcome.verdict = Verdict::kPassed;
        watcher(outcome);
        return true;
      }
      constexpr size_t kShown = 4;
      if (++n_tried <= kShown) {
        tried += "; " + fit.Text() + " with " + attempt.what + ": " +
                 attempt.status.ToString();
      }
    }
  }
  outcome.text =
      "it failed on each of " + std::to_string(n_tried) +
      " samples, so the other promises are not tested" + tried +
      "; give it values that it can work with: --sample FILE.csv, a header and "
      "rows; and --set for its options, --columns for its types";
  watcher(outcome);
  return false;
}

// What fits a function; and a test of how it refuses what does not.
std::vector<Fit> FindFits(const Subject& subject, const alloy_function& function,
                          const Watcher& watcher) {
  Outcome outcome{
      .function = function.name,
      .test = "binds to schemas that fit it, and reports why it refuses others"};
  watcher(outcome);
  outcome.verdict = Verdict::kPassed;
  std::vector<Fit> fits;
  Status refusal;
  std::vector<Spec> own = subject.options().schemas;
  const auto& table = subject.options().table;
  if (own.empty() && table.has_value()) own.push_back(table->Guess());
  for (Inputs& inputs : CandidatesFor(function, own)) {
    Fit fit{&function, subject.ValuesFor(function), std::move(inputs)};
    const auto call = BindTo(subject.bridge(), fit);
    if (call.ok()) {
      for (const Spec& input : fit.inputs) {
        const Status status = table.has_value() ? table->CheckAgainst(input) : Status();
        if (status.ok()) continue;
        outcome.verdict = Verdict::kFailed;
        outcome.text = fit.Text() + ": " + std::string(status.text());
      }
      fits.push_back(std::move(fit));
      continue;
    }
    refusal = call.status();
    if (const Status accepted = Accept(refusal); !accepted.ok()) {
      outcome.verdict = Verdict::kFailed;
      outcome.text = fit.Text() + ": " + accepted.ToString();
    }
  }
  if (fits.empty() && outcome.verdict == Verdict::kPassed) {
    outcome.verdict = Verdict::kSkipped;
    outcome.text = "nothing that was tried fits it: " + std::string(refusal.text()) +
                   "; name columns that do, and the options that it must have";
  }
  watcher(outcome);
  return fits;
}

bool IsWanted(const ConformanceOptions& options, const char* function) {
  return options.functions.empty() ||
         std::ranges::find(options.functions, function) != options.functions.end();
}

}  // namespace

Status RunConformance(const ConformanceOptions& options, const Watcher& watcher) {
  Subject subject;
  if (Status status = subject.Open(options); !status.ok()) return status;
  const alloy_function* const* functions = nullptr;
  alloy_error error;
  if (alloy_bridge_functions(subject.bridge(), &functions, &error) != ALLOY_OK) {
    return Status(error);
  }
  std::set<std::string_view> seen;
  for (; *functions != nullptr; ++functions) {
    const alloy_function& function = **functions;
    if (!IsWanted(options, function.name) || !seen.insert(function.name).second) continue;
    const std::vector<Fit> fits = FindFits(subject, function, watcher);
    if (fits.empty() || !Succeeds(subject, function, fits, watcher)) continue;
    for (const FunctionTest& test : MapTests(function)) {
      RunTest(test, subject, fits, watcher);
    }
    // A map function has one input when it is run on a stream.
    std::vector<Fit> streams = fits;
    if ((function.flags & ALLOY_STREAM) == 0) {
      std::erase_if(streams, [](const Fit& fit) { return fit.inputs.size() != 1; });
    }
    if (streams.empty()) continue;
    for (const FunctionTest& test : StreamTests(function)) {
      RunTest(test, subject, streams, watcher);
    }
  }
  for (const std::string& name : options.functions) {
    if (!seen.contains(name)) {
      return Status::Invalid("the backend has no function `" + name + "`");
    }
  }
  return Status();
}

}  // namespace alloy::testing
