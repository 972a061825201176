// SPDX-License-Identifier: MIT
//
// arrowalloy read-table, the child process of backend_table.h: loads the library and writes
// its table to descriptor 3. What the library prints or breaks stays in this process.
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../base/command.h"
#include "../base/report.h"
#include "../commands.h"
#include "alloy/alloy.h"
#include "alloy/alloy.hpp"
#include "loading.h"

namespace arrowalloy::read_table {
namespace {

struct Options {
  std::string library;
  Loading loading;
};

constexpr int kResult = 3;

std::string OrEmpty(const char* text) { return text == nullptr ? "" : text; }

std::string InputsText(const alloy_function& function) {
  std::string least = std::to_string(function.min_inputs);
  if (function.max_inputs == function.min_inputs) return least;
  if (function.max_inputs < 0) return least + " or more";
  return least + " to " + std::to_string(function.max_inputs);
}

Report DescribeFunction(const alloy_function& function) {
  std::vector<Report> columns;
  for (const alloy_column* const* list = function.columns;
       list != nullptr && *list != nullptr; ++list) {
    for (const alloy_column* column = *list; column->name != nullptr; ++column) {
      columns.emplace_back()
          .Add("name", column->name)
          .Add("accepts", column->accepts == nullptr ? "any type" : column->accepts);
    }
  }
  std::vector<Report> options;
  for (const alloy_option* option = function.options;
       option != nullptr && option->name != nullptr; ++option) {
    options.emplace_back()
        .Add("name", option->name)
        .Add("summary", OrEmpty(option->summary))
        .Add("default", option->fallback == nullptr ? "required" : option->fallback);
  }
  Report report;
  report.Add("name", function.name)
      .Add("summary", OrEmpty(function.summary))
      .Add("inputs", InputsText(function))
      .Add("columns", std::move(columns))
      .Add("options", std::move(options));
  return report;
}

Report DescribeError(const alloy::Status& status) {
  Report error;
  error.Add("code", int64_t{status.code()})
      .Add("reason", int64_t{status.reason()})
      .Add("text", std::string(status.text()));
  return Report().Add("error", error);
}

Report Describe(const Options& options) {
  const Loading& loading = options.loading;
  alloy::Bridge bridge(alloy::Host({.allow_unsigned = loading.certificate.empty(),
                                    .load_plainly = loading.plainly,
                                    .may_need = loading.may_need}),
                       {.isolated = loading.isolated ? alloy::Isolation::kWorkers
                                                     : alloy::Isolation::kNone});
  if (auto status = bridge.SetImplLib(options.library, loading.certificate);
      !status.ok()) {
    return DescribeError(status);
  }
  const alloy_backend* backend = nullptr;
  alloy_error error;
  if (alloy_bridge_backend(bridge.get(), &backend, &error) != ALLOY_OK) {
    return DescribeError(alloy::Status(error));
  }
  std::vector<Report> functions;
  for (const alloy_function* const* at = backend->functions; *at != nullptr; ++at) {
    functions.push_back(DescribeFunction(**at));
  }
  Report report;
  report.Add("name", backend->name)
      .Add("version", backend->version)
      .Add("language", backend->language)
      .Add("functions", std::move(functions));
  return report;
}

bool WriteResult(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(kResult, text.data(), text.size());
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

Exit Run(const Options& options, Console& console) {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
  const std::string text = Describe(options).ToJson() + "\n";
  // A person who runs this command has no descriptor 3.
  if (!WriteResult(text)) console.Print(text);
  return Exit::kOk;
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add({.name = "read-table",
                                  .summary = "Load a library and print its table",
                                  .examples = "  arrowalloy read-table libscore.so\n",
                                  .hidden = true});
  command.Value("LIBRARY", &options->library, "The library", {.required = true});
  command.Value("--certificate", &options->loading.certificate, "Certificate in base64");
  DeclareMayNeed(command, &options->loading.may_need);
  DeclareLoadPlainly(command, &options->loading.plainly);
  DeclareIsolated(command, &options->loading.isolated);
  command.OnRun([options](Console& console) { return Run(*options, console); });
}

}  // namespace arrowalloy::read_table
