// SPDX-License-Identifier: MIT
//
// arrowalloy test-function, the child process of `arrowalloy test`: runs the conformance
// suite on one function. It writes one line of JSON to descriptor 3 when a test begins and
// one when it ends.
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../base/command.h"
#include "../base/files.h"
#include "../base/report.h"
#include "../commands.h"
#include "../inspect/loading.h"
#include "alloy/testing/conformance.hpp"

namespace arrowalloy::test_function {
namespace {

struct Options {
  std::string library;
  Loading loading;
  std::vector<std::string> functions;
  std::vector<std::string> values;
  std::vector<std::string> schemas;
  std::string sample;
  int64_t rows = 100;
  int64_t seed = 1;
};

constexpr int kResult = 3;

void WriteLine(const Report& report) {
  const std::string line = report.ToJson() + "\n";
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t written = write(kResult, left.data(), left.size());
    if (written <= 0) return;  // the parent has ended
    left.remove_prefix(static_cast<size_t>(written));
  }
}

const char* NameOf(alloy::testing::Verdict verdict) {
  switch (verdict) {
    case alloy::testing::Verdict::kBegun:
      return "begun";
    case alloy::testing::Verdict::kPassed:
      return "passed";
    case alloy::testing::Verdict::kSkipped:
      return "skipped";
    case alloy::testing::Verdict::kFailed:
      break;
  }
  return "failed";
}

alloy::testing::ConformanceOptions SuiteOf(const Options& options) {
  alloy::testing::ConformanceOptions suite{.library = options.library,
                                           .certificate = options.loading.certificate,
                                           .may_need = options.loading.may_need,
                                           .load_plainly = options.loading.plainly,
                                           .isolated = options.loading.isolated,
                                           .functions = options.functions,
                                           .rows = options.rows,
                                           .seed = static_cast<uint64_t>(options.seed)};
  for (const std::string& pair : options.values) {
    const size_t equals = pair.find('=');
    suite.values[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  for (const std::string& columns : options.schemas) {
    auto batch = alloy::testing::ParseColumns(columns);
    if (batch.ok())
      suite.schemas.push_back(std::move(*batch));  // the parent checked them
  }
  if (!options.sample.empty()) {
    auto table = alloy::testing::SampleTable::ParseCsv(
        ReadFile(options.sample, size_t{64} << 20U));
    if (table.ok()) suite.table = std::move(*table);  // the parent checked it
  }
  return suite;
}

Exit Run(const Options& options) {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
  const alloy::Status status = alloy::testing::RunConformance(
      SuiteOf(options), [](const alloy::testing::Outcome& outcome) {
        WriteLine(Report()
                      .Add("function", outcome.function)
                      .Add("test", outcome.test)
                      .Add("verdict", NameOf(outcome.verdict))
                      .Add("text", outcome.text));
      });
  if (!status.ok()) WriteLine(Report().Add("error", std::string(status.text())));
  return Exit::kOk;
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "test-function",
       .summary = "Run the conformance suite on one function",
       .examples = "  arrowalloy test-function libscore.so --function score\n",
       .hidden = true});
  command.Value("LIBRARY", &options->library, "The library", {.required = true});
  command.Value("--certificate", &options->loading.certificate, "Certificate in base64");
  DeclareIsolated(command, &options->loading.isolated);
  DeclareMayNeed(command, &options->loading.may_need);
  DeclareLoadPlainly(command, &options->loading.plainly);
  command.Value("--function", &options->functions, "The function");
  command.Value("--set", &options->values, "Values of options");
  command.Value("--columns", &options->schemas, "Columns of the input");
  command.Value("--sample", &options->sample, "Values of the input");
  command.Value("--rows", &options->rows, "Rows of a batch");
  command.Value("--seed", &options->seed, "Seed of the values");
  command.OnRun([options](Console&) { return Run(*options); });
}

}  // namespace arrowalloy::test_function
