// SPDX-License-Identifier: MIT
//
// arrowalloy test: run the conformance suite on a library. Each function runs in a process
// of its own, so that a crash fails only one test.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "../base/command.h"
#include "../base/files.h"
#include "../base/process.h"
#include "../commands.h"
#include "../inspect/backend_table.h"
#include "../inspect/inspection.h"
#include "alloy/testing/sample_table.hpp"
#include "alloy/testing/spec.hpp"

namespace arrowalloy::test {
namespace {

struct Options {
  std::string library;
  std::string certificate;
  std::vector<std::string> may_need;
  bool plainly = false, isolated = false;
  std::vector<std::string> functions;
  std::vector<std::string> values;
  std::vector<std::string> schemas;
  std::string sample;
  int64_t rows = 100;
  int64_t seed = 1;
  int64_t time_limit = 120;
};

struct Totals {
  int64_t passed = 0, failed = 0, skipped = 0;
  std::vector<Report> tests;
};

// Prints the verdicts of the child processes, and collects them for the result.
class Printer {
 public:
  Printer(Console& console, Totals* totals) : console_(console), totals_(*totals) {}

  void Print(const std::string& function, const std::string& test,
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
    if (!text.empty()) console_.Print(fmt::format("         {}\n", HarmlessLines(text)));
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
  if (!options.sample.empty()) {
    command.insert(command.end(), {"--sample", options.sample});
  }
  return command;
}

// What AddressSanitizer found: the kind of error, and the places in sources that it names.
// Empty: it has not reported anything.
std::string SanitizerReport(std::string_view output) {
  constexpr size_t kMostPlaces = 4;
  std::string report;
  size_t places = 0;
  while (!output.empty()) {
    const std::string_view line = output.substr(0, output.find('\n'));
    output.remove_prefix(std::min(output.size(), line.size() + 1));
    const size_t error = line.find("ERROR: ");
    const size_t place = line.find(" in ");
    const bool is_error = error != std::string_view::npos &&
                          line.find("Sanitizer", error) != std::string_view::npos;
    // `    #1 0x7f in Run /home/me/backend.cc:12`
    const bool is_place = !report.empty() && place != std::string_view::npos &&
                          line.find('#') < place && line.find('/') != line.npos &&
                          line.find_last_of(':') > line.find('/') &&
                          line.find_last_of(':') != line.npos;
    const bool is_summary = line.find("SUMMARY: ") == 0;
    if (is_error) {
      report += (report.empty() ? "" : "; ") + std::string(line.substr(error + 7));
    } else if (is_place && places < kMostPlaces) {
      ++places;
      report += "; in " + std::string(line.substr(place + 4));
    } else if (is_summary) {
      report += (report.empty() ? "" : "; ") + std::string(line.substr(9));
    }
  }
  return report;
}

// The runtime of AddressSanitizer that a library needs; empty: none.
std::string SanitizerOf(const std::string& library) {
  for (const std::string& needed : InspectForm(library).needed) {
    if (needed.starts_with("libasan.so") || needed.starts_with("libclang_rt.asan")) {
      return needed;
    }
  }
  return "";
}

// The runtime must come before all other libraries of the process. So the child processes
// preload it, and load the library by its path, where the runtime finds its debug
// information.
void PrepareForSanitizer(const std::string& library, Loading* loading) {
  const std::string runtime = SanitizerOf(library);
  if (runtime.empty()) return;
  const char* preloaded = std::getenv("LD_PRELOAD");  // NOLINT(concurrency-mt-unsafe)
  const std::string preload =
      runtime + (preloaded != nullptr ? ":" + std::string(preloaded) : "");
  setenv("LD_PRELOAD", preload.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  // The report is the reason, not a signal; what the user has set stays.
  setenv("ASAN_OPTIONS", "exitcode=99:handle_segv=1",
         0);  // NOLINT(concurrency-mt-unsafe)
  loading->may_need.push_back(runtime);
  loading->plainly = true;
}

// Run the tests of one function. When its process dies, the test that was running failed.
void TestFunction(const Options& options, const Loading& loading,
                  const std::string& function, Printer* printer) {
  const Ended ended = RunProcess(ChildCommand(options, loading, function),
                                 std::chrono::seconds(options.time_limit));
  std::string running = "starts";
  std::string_view lines = ended.result;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    const auto event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!event.is_object()) continue;  // the last line, cut off when the process died
    if (event.contains("error")) {
      printer->Print(function, "loads", "failed", event["error"].get<std::string>());
      return;
    }
    const auto verdict = event["verdict"].get<std::string>();
    running = verdict == "begun" ? event["test"].get<std::string>() : "";
    if (verdict == "begun") continue;
    printer->Print(function, event["test"].get<std::string>(), verdict,
                   event["text"].get<std::string>());
  }
  if (ended.code == 0 && running.empty()) return;
  std::string text = fmt::format("the process of this function {}", ended.HowText());
  if (ended.signal == SIGSEGV) {
    text +=
        "; the memory of an input is taken away when it is released: does the function "
        "keep a pointer into one?";
  }
  const std::string found = SanitizerReport(ended.output);
  if (!found.empty()) {
    text += "; " + found;
  } else if (!ended.output.empty()) {
    text += "; it printed: " + ended.output.substr(0, 500);
  }
  printer->Print(function,
                 running.empty() ? "ends its process with exit code 0" : running,
                 "failed", text);
}

void CheckArguments(const Options& options) {
  for (const std::string& pair : options.values) {
    if (pair.find('=') != std::string::npos) continue;
    throw Failure(Exit::kUsage, kUsageCode, "expected --set KEY=VALUE", "--set " + pair,
                  "write it as: --set factor=2");
  }
  for (const std::string& columns : options.schemas) {
    const auto batch = alloy::testing::ParseColumns(columns);
    if (batch.ok()) continue;
    throw Failure(Exit::kUsage, kUsageCode, std::string(batch.status().text()),
                  "--columns " + columns, "write it as: --columns 'x:g, y:l'");
  }
  if (!options.sample.empty()) {
    const auto table = alloy::testing::SampleTable::ParseCsv(
        ReadFile(options.sample, size_t{64} << 20U));
    if (!table.ok()) {
      throw Failure(Exit::kUsage, kUsageCode, std::string(table.status().text()),
                    options.sample,
                    "write a CSV file: a first line with the names of the columns, then "
                    "rows of values");
    }
  }
  if (options.rows < 1 || options.rows > 1'000'000) {
    throw Failure(
        Exit::kUsage, kUsageCode,
        fmt::format("expected --rows from 1 to 1000000, found {}", options.rows),
        "--rows", "leave it out: the default is 100");
  }
  if (options.time_limit < 1) {
    throw Failure(
        Exit::kUsage, kUsageCode,
        fmt::format("expected --time-limit from 1, found {}", options.time_limit),
        "--time-limit", "leave it out: the default is 120 seconds");
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
                  fmt::format("{} has no function {}; its functions are {}", table.name,
                              wanted, fmt::join(names, ", ")),
                  options.library, "arrowalloy inspect " + options.library);
  }
  return options.functions;
}

Exit Run(const Options& options, Console& console) {
  CheckArguments(options);
  Loading loading = {.certificate = CertificateArgument(options.certificate),
                     .may_need = options.may_need,
                     .plainly = options.plainly,
                     .isolated = options.isolated};
  PrepareForSanitizer(options.library, &loading);
  Totals totals;
  Printer printer(console, &totals);
  for (const std::string& function : FunctionsOf(options, loading)) {
    TestFunction(options, loading, function, &printer);
  }
  const std::string sum = fmt::format("{} passed, {} failed, {} skipped\n", totals.passed,
                                      totals.failed, totals.skipped);
  console.PrintResult(Report()
                          .Add("passed", totals.passed)
                          .Add("failed", totals.failed)
                          .Add("skipped", totals.skipped)
                          .Add("tests", totals.tests),
                      sum);
  // When no test ran, nothing was shown to work.
  return totals.failed > 0 || totals.passed == 0 ? Exit::kBackend : Exit::kOk;
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "test",
       .summary = "Test whether a backend keeps the rules that all backends must keep",
       .details =
           R"(Calls each function with batches that fit it: no rows, one row, only nulls,
sliced arrays, two threads, many calls. Each test checks that every struct is
released once, that inputs are unchanged, and that results are well formed.
It finds values that are read under nulls, nulls in columns declared without,
pointers into inputs that were released, lost memory, and releases that leave no mark.
A function that fails on every sample does not pass. If it needs special values,
give a CSV file with --sample: a header with the names of its columns, then rows.
Values come from the file, row by row; columns that are not in it stay random.
To see file and line of an error, build the backend with AddressSanitizer:
  g++ -g -fsanitize=address -fPIC -shared ...  (clang++ also needs -shared-libasan)
`arrowalloy test` then preloads the sanitizer's runtime by itself.
The library runs in child processes, one for each function.
Exit code 1 when a test failed or no test ran.)",
       .examples = R"(  arrowalloy test build/libscore.so
  arrowalloy test libscore.so --function score --columns 'x:g, y:l'
  arrowalloy test libscale.so --set factor=2 --json
  arrowalloy test libparse.so --sample rows.csv --columns 'day:u'
)"});
  command.Value("LIBRARY", &options->library, "Shared library or static archive",
                {.required = true, .kind = Kind::kFile});
  command.Value("--certificate", &options->certificate,
                "Verify with this certificate first: base64, or @FILE",
                {.kind = Kind::kFile, .placeholder = "BASE64|@FILE"});
  DeclareMayNeed(command, &options->may_need);
  DeclareIsolated(command, &options->isolated);
  DeclareLoadPlainly(command, &options->plainly);
  command.Value("--function", &options->functions, "Test only this function; repeatable",
                {.placeholder = "NAME"});
  command.Value("--set", &options->values,
                "Option of a function, as KEY=VALUE or FUNCTION.KEY=VALUE",
                {.placeholder = "KEY=VALUE"});
  command.Value("--columns", &options->schemas,
                "Columns of the input, as NAME:FORMAT of the Arrow C data interface",
                {.placeholder = "COLUMNS"});
  command.Value("--sample", &options->sample,
                "CSV file with values for the columns of the inputs",
                {.kind = Kind::kFile, .placeholder = "FILE"});
  command.Value("--rows", &options->rows, "Rows of each batch (default: 100)",
                {.placeholder = "NUMBER"});
  command.Value("--seed", &options->seed, "Seed of the random values (default: 1)",
                {.placeholder = "NUMBER"});
  command.Value("--time-limit", &options->time_limit,
                "Time for each function (default: 120)", {.placeholder = "SECONDS"});
  command.OnRun([options](Console& console) { return Run(*options, console); });
}

}  // namespace arrowalloy::test
