// SPDX-License-Identifier: MIT
#include "backend_table.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "../base/engine_failure.h"
#include "../base/failure.h"
#include "../base/process.h"

namespace arrowalloy {
namespace {

using Json = nlohmann::ordered_json;

std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// The library runs in the child and could write this text, so no member is expected.
const Json& List(const Json& object, const char* key) {
  static const Json none = Json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : none;
}

std::vector<Report> ReadList(const Json& list, const std::vector<const char*>& keys) {
  std::vector<Report> reports;
  for (const Json& item : list) {
    Report& report = reports.emplace_back();
    for (const char* key : keys) report.Add(key, key, Text(item, key));
  }
  return reports;
}

Report ReadFunction(const Json& function) {
  Report report;
  report.Add("name", Text(function, "name"))
      .Add("summary", Text(function, "summary"))
      .Add("inputs", Text(function, "inputs"));
  report.Add("columns", ReadList(List(function, "columns"), {"name", "accepts"}))
      .Add("options",
           ReadList(List(function, "options"), {"name", "default", "summary"}));
  return report;
}

Failure NoTable(const std::string& library, const Ended& ended) {
  std::string text =
      fmt::format("cannot read the table of {}: the process that loaded it {}", library,
                  ended.HowText());
  if (!ended.output.empty()) text += fmt::format("; it printed:\n{}", ended.output);
  while (text.ends_with('\n')) text.pop_back();
  return Failure(Exit::kRefused, kTableCode, text, library,
                 fmt::format("debug it: gdb --args arrowalloy read-table {}; to sign it "
                             "without running it, pass --name and --version",
                             library));
}

}  // namespace

BackendTable ReadTable(const std::string& library, const Loading& loading,
                       std::chrono::seconds limit) {
  std::vector<std::string> command = {kSelf, "read-table", library};
  AddArguments(loading, &command);
  const Ended ended = RunProcess(command, limit);
  const Json table_json = Json::parse(ended.result, nullptr, /*allow_exceptions=*/false);
  if (!table_json.is_object()) throw NoTable(library, ended);
  if (table_json.contains("error")) {
    const Json& error = table_json["error"];
    throw EngineFailure(error.value("code", int32_t{ALLOY_INTERNAL}),
                        error.value("reason", int32_t{ALLOY_REASON_NONE}),
                        Text(error, "text"), library);
  }
  BackendTable table{.name = Text(table_json, "name"),
                     .version = Text(table_json, "version"),
                     .language = Text(table_json, "language"),
                     .functions = {}};
  for (const Json& function : List(table_json, "functions")) {
    table.functions.push_back(ReadFunction(function));
  }
  return table;
}

}  // namespace arrowalloy
