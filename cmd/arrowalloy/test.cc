// SPDX-License-Identifier: MIT
//
// arrowalloy test: the conformance suite on a library, as a test runner reports. Each
// function is tried in a process of its own, so that a crash is a failure of one test.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alloy/testing/spec.hpp"
#include "backend_table.h"
#include "command.h"
#include "commands.h"
#include "inspection.h"
#include "process.h"

namespace arrowalloy::test {
namespace {

struct Options {
  std::string library;
  std::string certificate;
  std::vector<std::string> may_need;
  std::vector<std::string> functions;
  std::vector<std::string> values;
  std::vector<std::string> schemas;
  int64_t rows = 100;
  int64_t seed = 1;
  int64_t time_limit = 120;
};

struct Totals {
  int64_t passed = 0, failed = 0, skipped = 0;
  std::vector<Report> tests;
};

// What one verdict of the child becomes on the console and in the answer.
class Printer {
 public:
  Printer(Console& console, Totals* totals) : console_(console), totals_(*totals) {}

  void Tell(const std::string& function, const std::string& test,
            std::string_view verdict, const std::string& text) {
    const bool passed = verdict == "passed", skipped = verdict == "skipped";
    ++(passed ? totals_.passed : skipped ? totals_.skipped : totals_.failed);
    totals_.tests.emplace_back()
        .Add("function", function)
        .Add("test", test)
        .Add("verdict", std::string(verdict))
        .Add("text", text);
    if (console_.json() || (passed && console_.quiet())) return;
    const Style style = passed ? Style::kGood : skipped ? Style::kWarning : Style::kBad;
    const std::string_view word = passed ? "ok     " : skipped ? "skipped" : "FAILED ";
    console_.Print(fmt::format("{}  {}: {}\n", console_.Out(style, word),
                               Harmless(function), Harmless(test)));
    if (!text.empty()) console_.Print(fmt::format("         {}\n", Harmless(text)));
  }

 private:
  Console& console_;
  Totals& totals_;
};

std::vector<std::string> ChildCommand(const Options& options, const Loading& loading,
                                      const std::string& function) {
  std::vector<std::string> command = {kSelf,
                                      "test-function",
                                      options.library,
                                      "--function",
                                      function,
                                      "--rows",
                                      std::to_string(options.rows),
                                      "--seed",
                                      std::to_string(options.seed)};
  AddArguments(loading, &command);
  for (const std::string& value : options.values) {
    command.insert(command.end(), {"--set", value});
  }
  for (const std::string& columns : options.schemas) {
    command.insert(command.end(), {"--columns", columns});
  }
  return command;
}

// Run a function's tests; whatever ends its process fails the test that was under way.
void TestFunction(const Options& options, const Loading& loading,
                  const std::string& function, Printer* printer) {
  const Ended ended = RunProcess(ChildCommand(options, loading, function),
                                 std::chrono::seconds(options.time_limit));
  std::string under_way = "starts";
  std::string_view lines = ended.answer;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    const auto told = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!told.is_object()) continue;  // cut off when the process died
    if (told.contains("error")) {
      printer->Tell(function, "loads", "failed", told["error"].get<std::string>());
      return;
    }
    const auto verdict = told["verdict"].get<std::string>();
    under_way = verdict == "begun" ? told["test"].get<std::string>() : "";
    if (verdict == "begun") continue;
    printer->Tell(function, told["test"].get<std::string>(), verdict,
                  told["text"].get<std::string>());
  }
  if (ended.code == 0 && under_way.empty()) return;
  std::string text = fmt::format("its process {}", ended.HowText());
  if (!ended.said.empty()) text += "; it said: " + ended.said.substr(0, 500);
  printer->Tell(function, under_way.empty() ? "ends its process in order" : under_way,
                "failed", text);
}

void CheckArguments(const Options& options) {
  for (const std::string& pair : options.values) {
    if (pair.find('=') != std::string::npos) continue;
    throw Failure(Exit::kUsage, kUsageCode, "a value of an option is written key=value",
                  "--set " + pair, "arrowalloy test --help");
  }
  for (const std::string& columns : options.schemas) {
    const auto batch = alloy::testing::ParseColumns(columns);
    if (batch.ok()) continue;
    throw Failure(Exit::kUsage, kUsageCode, std::string(batch.status().text()),
                  "--columns " + columns, "arrowalloy test --help");
  }
  if (options.rows < 1 || options.rows > 1'000'000 || options.time_limit < 1) {
    throw Failure(Exit::kUsage, kUsageCode,
                  "--rows takes 1 to 1000000, and --time-limit at least a second", "",
                  "arrowalloy test --help");
  }
}

std::vector<std::string> FunctionsOf(const Options& options, const Loading& loading) {
  const BackendTable table =
      ReadTable(options.library, loading, std::chrono::seconds(options.time_limit));
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const Report& function : table.functions) {
    const auto described = nlohmann::json::parse(function.ToJson());
    const auto name = described["name"].get<std::string>();
    if (seen.insert(name).second) names.push_back(name);
  }
  if (options.functions.empty()) return names;
  for (const std::string& wanted : options.functions) {
    if (seen.contains(wanted)) continue;
    throw Failure(Exit::kUsage, kUsageCode,
                  fmt::format("{} has no function {}; it has {}", table.name, wanted,
                              fmt::join(names, ", ")),
                  options.library, "arrowalloy inspect " + options.library);
  }
  return options.functions;
}

Exit Run(const Options& options, Console& console) {
  CheckArguments(options);
  const Loading loading = {.certificate = CertificateArgument(options.certificate),
                           .may_need = options.may_need};
  Totals totals;
  Printer printer(console, &totals);
  for (const std::string& function : FunctionsOf(options, loading)) {
    TestFunction(options, loading, function, &printer);
  }
  const std::string sum = fmt::format("{} passed, {} failed, {} skipped\n", totals.passed,
                                      totals.failed, totals.skipped);
  console.Answer(Report()
                     .Add("passed", totals.passed)
                     .Add("failed", totals.failed)
                     .Add("skipped", totals.skipped)
                     .Add("tests", totals.tests),
                 sum);
  // A suite in which nothing ran has shown nothing.
  return totals.failed > 0 || totals.passed == 0 ? Exit::kBackend : Exit::kOk;
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "test",
       .summary = "Try whether a backend keeps what every backend promises",
       .details =
           "Binds each function to batches that fit it and runs it on rows of every "
           "kind:\n"
           "none, one, nulls alone, behind offsets, on two threads, again and again. "
           "Counts\n"
           "releases, watches the memory of the inputs, and sends all through the gate.\n"
           "The library is run, each function in a process of its own.",
       .examples = "  arrowalloy test build/backends/score_cpp.so\n"
                   "  arrowalloy test libscore.so --function score --columns 'x:g, y:l'\n"
                   "  arrowalloy test libscale.so --set factor=2 --json\n"});
  command.Value("LIBRARY", &options->library, "The library to test",
                {.required = true, .kind = Kind::kFile});
  command.Value("--certificate", &options->certificate,
                "Load it signed: base64 of a certificate, or @FILE; without one it is "
                "loaded unsigned",
                {.placeholder = "B64|@FILE"});
  DeclareMayNeed(command, &options->may_need);
  command.Values("--function", &options->functions,
                 "Only this function; may be given more than once",
                 {.placeholder = "NAME"});
  command.Values("--set", &options->values,
                 "The value of an option, as key=value or function.key=value",
                 {.placeholder = "KEY=VALUE"});
  command.Values("--columns", &options->schemas,
                 "Columns that fit, as name:format of the Arrow C data interface; in "
                 "place of a column of every type",
                 {.placeholder = "COLUMNS"});
  command.Value("--rows", &options->rows, "Rows of a batch");
  command.Value("--seed", &options->seed, "Seed of the values");
  command.Value("--time-limit", &options->time_limit, "Seconds for each function");
  command.OnRun([options](Console& console) { return Run(*options, console); });
}

}  // namespace arrowalloy::test
