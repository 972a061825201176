// SPDX-License-Identifier: MIT
//
// arrowalloy inspect: what is known about a library. Nothing of it runs before its
// signature is verified.
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "../base/command.h"
#include "../base/engine_failure.h"
#include "../commands.h"
#include "alloy/alloy.h"
#include "backend_table.h"
#include "inspection.h"
#include "sealed.h"

namespace arrowalloy::inspect {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string library, certificate;
  std::vector<std::string> may_need;
  bool functions = false, isolated = false;
  std::optional<int64_t> gdb;
};

std::string Text(const Json& object, const char* key) {
  const Json& value = object.at(key);
  return value.is_string() ? value.get<std::string>() : "unknown";
}

std::vector<std::string> Lines(const Json& list) {
  std::vector<std::string> lines;
  for (const Json& item : list) {
    lines.push_back(item.is_object() ? item.at("text").get<std::string>()
                                     : item.get<std::string>());
  }
  return lines;
}

std::string VerdictText(const Json& found, bool with_certificate) {
  const Json& verdict = found.at("verdict");
  if (!IsLoadable(found)) {
    return fmt::format("{}: {}", Text(verdict, "reason_name"), Text(verdict, "text"));
  }
  const std::string how = found.at("elf").at("go_runtime").get<bool>()
                              ? " isolated: it has a Go runtime"
                              : "";
  return with_certificate ? "a host with this certificate loads it" + how
                          : "a host can load it" + how +
                                "; the signature was not checked (pass --certificate)";
}

// What the signature file claims. Only the verdict says whether that is true.
void AddClaims(const Json& found, Report* report) {
  const Json& statement = found.at("statement");
  if (statement.is_object()) {
    report->Add("", "name", Text(statement, "name"))
        .Add("", "version", Text(statement, "version"))
        .Add("", "sequence", statement.at("sequence").dump())
        .Add("", "platform", Text(statement, "platform"))
        .Add("", "valid",
             fmt::format("{} to {}", Text(statement, "not_before"),
                         Text(statement, "not_after")));
  } else {
    report->Add("", "signature",
                found.at("sidecar").is_null() ? "none: no .alloysig file" : "malformed");
  }
  std::vector<std::string> chain;
  for (const Json& certificate : found.at("certificates")) {
    chain.push_back(fmt::format("{} ({}, until {})", Text(certificate, "subject"),
                                Text(certificate, "key"),
                                Text(certificate, "not_after")));
  }
  if (!chain.empty()) report->Add("", "signed by", chain);
}

std::string FunctionText(const Report& function, const Console& console) {
  std::string text;
  for (const Report::Field& field : function.fields()) {
    const auto* value = std::get_if<std::string>(&field.value);
    if (field.key == "name") {
      text += fmt::format("\nfunction {}\n", console.Out(Style::kBold, Harmless(*value)));
    } else if (value != nullptr && !value->empty()) {
      text += fmt::format("  {}  {}\n", field.key, Harmless(*value));
    } else if (const auto* list = std::get_if<std::vector<Report>>(&field.value)) {
      for (const Report& item : *list) {
        std::vector<std::string> words;
        for (const Report::Field& word : item.fields()) {
          words.push_back(Harmless(std::get<std::string>(word.value)));
        }
        text += fmt::format("  {}  {}\n", field.key == "columns" ? "column" : "option",
                            fmt::join(words, ", "));
      }
    }
  }
  return text;
}

std::string AsText(const Json& found, bool with_certificate) {
  Report report;
  report.Add("", "library", Text(found, "library"))
      .Add("", "kind", Text(found, "kind"))
      .Add("", "verdict", VerdictText(found, with_certificate))
      .Add("", "size", found.at("size").dump())
      .Add("", "sha256", Text(found, "sha256"));
  AddClaims(found, &report);
  const Json& elf = found.at("elf");
  if (Text(found, "kind") == "library") report.Add("", "needed", Lines(elf.at("needed")));
  const auto faults = Lines(elf.at("findings"));
  if (!faults.empty()) report.Add("", "problems", faults);
  return report.ToText();
}

Exit PrintSymbolFiles(int64_t pid, Console& console) {
  std::vector<Report> libraries;
  std::string text;
  for (const SealedLibrary& library : FindSealedLibraries(pid)) {
    text += fmt::format("add-symbol-file {} -o {:#x}\n", library.file, library.base);
    libraries.emplace_back()
        .Add("name", library.name)
        .Add("file", library.file)
        .Add("base", fmt::format("{:#x}", library.base));
  }
  if (libraries.empty()) {
    console.Note(fmt::format("process {} has no sealed library", pid));
  }
  console.PrintResult(Report().Add("libraries", std::move(libraries)), text);
  return Exit::kOk;
}

Exit Run(const Options& options, Console& console) {
  if (options.gdb) return PrintSymbolFiles(*options.gdb, console);
  if (options.library.empty()) {
    throw Failure(Exit::kUsage, kUsageCode, "LIBRARY is required", "arrowalloy inspect",
                  "arrowalloy inspect --help");
  }
  Loading loading = {.certificate = CertificateArgument(options.certificate),
                     .may_need = options.may_need,
                     .isolated = options.isolated};
  const bool with_certificate = !loading.certificate.empty();
  Json found = Inspect(options.library, loading, /*allow_unsigned=*/!with_certificate);
  const bool fit = IsLoadable(found);
  if (found.at("elf").at("go_runtime").get<bool>()) loading.isolated = true;
  std::string text = AsText(found, with_certificate);
  if (const std::string warning = EndsSoon(found); !warning.empty())
    console.Warn(warning);
  // Reading its functions runs it. So without a verified signature it is only loaded if the
  // user asks for it.
  if (fit && (with_certificate || options.functions)) {
    const BackendTable table = ReadTable(options.library, loading, kTableLimit);
    found["language"] = table.language;
    found["functions"] = Json::array();
    for (const Report& function : table.functions) {
      found["functions"].push_back(Json::parse(function.ToJson()));
      text += FunctionText(function, console);
    }
  }
  console.PrintResult(
      HarmlessJson(found.dump(-1, ' ', false, Json::error_handler_t::replace)), text);
  if (!with_certificate || fit) return Exit::kOk;
  const Json& verdict = found.at("verdict");
  throw EngineFailure(verdict.at("code").get<int32_t>(),
                      verdict.at("reason").get<int32_t>(), Text(verdict, "text"),
                      options.library);
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "inspect",
       .summary = "Show who signed a library, what it contains, and any problem with it",
       .details =
           R"(Without --certificate nothing of the library runs, and the signature is shown
but not checked. With --certificate the signature is checked. If it is good, a
child process loads the library and its functions are listed. --functions lists
them without a certificate as well, which runs the library: add --isolated if
you do not trust it.

--gdb PID prints the commands with which gdb finds the symbols of the backends
that a running process has loaded.)",
       .examples = R"(  arrowalloy inspect build/libscore.so
  arrowalloy inspect build/libscore.so --certificate @dev.crt
  arrowalloy inspect libtitles.so --certificate @dev.crt --may-need /usr/lib/libarrow.so.2600
  arrowalloy inspect build/libscore.so --functions --isolated
  arrowalloy inspect --gdb 4711 > symbols && gdb -p 4711 -x symbols
)"});
  command.Value("LIBRARY", &options->library, "Shared library or static archive",
                {.kind = Kind::kFile});
  command.Value("--certificate", &options->certificate,
                "Certificate that the host trusts: base64, or @FILE (PEM, DER, base64)",
                {.kind = Kind::kFile, .placeholder = "BASE64|@FILE"});
  DeclareMayNeed(command, &options->may_need);
  command.Flag("--functions", &options->functions,
               "List the functions without a certificate too: this runs the library");
  DeclareIsolated(command, &options->isolated);
  command.Value("--gdb", &options->gdb,
                "Print gdb commands for the sealed libraries of a process",
                {.placeholder = "PID"});
  command.OnRun([options](Console& console) { return Run(*options, console); });
}

}  // namespace arrowalloy::inspect
